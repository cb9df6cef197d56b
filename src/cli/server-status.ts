/** `stc server status`: what a running server says of itself at its admin address. */
import type { Command } from 'commander'
import { err, ok, type Result } from '../base/result.ts'
import { type AddressPort, showAddress } from '../net/address.ts'
import { readServerConfig, type ServerStatus } from '../server/index.ts'
import { fail, say } from './output.ts'

const PATIENCE_MS = 5000

interface Options {
  readonly config?: string
  readonly json?: boolean
}

export function registerServerStatus(server: Command): void {
  server
    .command('status')
    .description('how a running server is: media plane, sessions, rooms, end of its certificate')
    .option('-c, --config <file>', 'configuration of the server')
    .option('--json', 'everything, as one JSON object')
    .action(async (_: object, command: Command) => {
      // The option of this name belongs to `stc server` as well, wherever it stands.
      const { config, json } = command.optsWithGlobals<Options>()
      await showStatus(config, json === true)
    })
}

async function showStatus(file: string | undefined, json: boolean): Promise<void> {
  const at = adminOf(file)
  if (!at.ok) return fail(at.fault)
  const status = await ask(at.value)
  if (!status.ok) return fail(status.fault)
  if (json) say(JSON.stringify(status.value, undefined, 2))
  else for (const line of describe(status.value)) say(line)
}

/** As in the configuration, or where a server is without one. */
function adminOf(file: string | undefined): Result<AddressPort> {
  if (file === undefined) return ok({ address: '127.0.0.1', port: 7444 })
  const config = readServerConfig(file)
  if (!config.ok) return config
  const { admin } = config.value
  if (admin === undefined) return err('CONFIG_NO_ADMIN', file)
  // A wildcard is for listening; this machine is there as well.
  return ok({ port: admin.port, address: admin.address === '0.0.0.0' ? '127.0.0.1' : admin.address === '::' ? '::1' : admin.address })
}

async function ask(at: AddressPort): Promise<Result<ServerStatus>> {
  try {
    const response = await fetch(`http://${showAddress(at)}/status`, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' })
    if (!response.ok) return err('CLIENT_ADMIN_UNREACHABLE', `${showAddress(at)} answered ${response.status}`)
    return ok((await response.json()) as ServerStatus)
  } catch {
    return err('CLIENT_ADMIN_UNREACHABLE', showAddress(at))
  }
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

export function describe(s: ServerStatus, now = Date.now()): string[] {
  const days = Math.floor((s.certificateEnds * 1000 - now) / 86_400_000)
  const inRooms = s.rooms.reduce((n, r) => n + r.members, 0)
  const calls = s.legs.filter((l) => l.kind === 'plain').length
  return [
    `realm ${s.realm}, up ${uptime(s.uptimeSeconds)}`,
    `media plane: ${s.plane.provider}, ${count(s.plane.workers, 'worker')}${s.plane.fallback === undefined ? '' : ` (not native: ${s.plane.fallback.message})`}`,
    `${count(s.sessions, 'session')}, ${count(s.rooms.length, 'room')} with ${count(inRooms, 'member')}, ${count(calls, 'bridged call leg')}`,
    ...s.rooms.map((r) => `  ${r.room}: ${count(r.members, 'member')}${r.waiting > 0 ? `, ${r.waiting} waiting` : ''}, epoch ${r.epoch === '' ? '-' : r.epoch}${r.call === undefined ? '' : `, call ${r.call}`}`),
    ...(s.draining ? ['DRAINING: no new rooms; it ends with the last one'] : []),
    ...(s.revocationListsEnd === undefined ? [] : [`revocation lists: the first ends ${new Date(s.revocationListsEnd * 1000).toISOString().slice(0, 16)}Z${s.revocationListsEnd * 1000 < now ? ' - IT HAS ENDED' : ''}`]),
    days < 0 ? `certificate: EXPIRED ${count(-days, 'day')} ago` : `certificate: ends ${new Date(s.certificateEnds * 1000).toISOString().slice(0, 10)}, in ${count(days, 'day')}${days < 14 ? ' - RENEW IT SOON' : ''}`,
  ]
}

function uptime(seconds: number): string {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  return days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds % 60} s`
}
