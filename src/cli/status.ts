/** `stc status`, `stc rooms`, `stc logs`, `stc trace`: how a client that runs is, and what it has seen. */
import { unwatchFile, watchFile } from 'node:fs'
import type { Command } from 'commander'
import { clientConfig } from '../client/config.ts'
import { readConfig } from '../store/config.ts'
import type { TracedMessage } from '../telephony/trace.ts'
import type { ClientStatus } from './attended.ts'
import { type LogLine, logFile, readLog } from './client-log.ts'
import { configFileOf, withConfig } from './config-file.ts'
import { askRunning } from './control.ts'
import { atLeastOne } from './options.ts'
import { answer, complain, EXIT, fail, interrupted, say, speaksJson } from './output.ts'
import { roomsOf, type ShownRoom } from './rooms-known.ts'
import { ladder } from './trace-text.ts'

const LOOK_MS = 250

interface Options {
  readonly config?: string
}

export function registerStatus(program: Command): void {
  withConfig(program.command('status').description('say how the running client is: server, certificate, phones, calls')).action((o: Options) => status(configFileOf(o.config)))
  withConfig(program.command('rooms').description('list the rooms that this client knows, and who is in those that it is in')).action((o: Options) => rooms(configFileOf(o.config)))
  withConfig(program.command('logs').description('show what the client noted, the oldest first'))
    .option('-n, --lines <count>', 'how many of the newest', atLeastOne, 50)
    .option('-f, --follow', 'go on as more come, until Ctrl-C')
    .action((o: Options & { lines: number; follow?: boolean }) => logs(configFileOf(o.config), o.lines, o.follow === true))
  withConfig(program.command('trace').description('show what phones and the client signalled (SIP), without passwords and keys'))
    .argument('[call-id]', 'of one call alone, or the beginning of it')
    .option('--full', 'whole messages instead of one line each')
    .action((callId: string | undefined, o: Options & { full?: boolean }) => trace(configFileOf(o.config), callId, o.full === true))
}

async function status(file: string): Promise<void> {
  const got = await askRunning(file, 'status')
  if (!got.ok) return fail(got.fault)
  const s = got.value as ClientStatus
  answer(s, statusLines(s, Date.now() / 1000))
  process.exitCode = s.lines.every((l) => l.server.up || l.server.host === '') ? EXIT.ok : EXIT.unavailable
}

export function statusLines(s: ClientStatus, now: number): string[] {
  return [
    `stc ${s.version}, process ${s.pid}, ${s.config}`,
    ...s.lines.flatMap((l) => {
      const { server: v } = l
      const media = v.path === 'none' ? 'no media yet' : `media over ${v.path.toUpperCase()}${v.roundTripMs === undefined ? '' : `, ${v.roundTripMs.toFixed(0)} ms there and back`}`
      const days = l.identity === undefined ? 0 : Math.floor((l.identity.notAfter - now) / 86_400)
      return [
        ...(l.name === '' ? [] : [`line ${l.name}`]),
        v.host === '' ? 'server      none: calls go through telephone providers' : v.up ? `server      ${v.host}: connected, ${media}` : `server      ${v.host}: NOT connected${v.fault === undefined ? '' : `: ${v.fault.message} [${v.fault.code}]`}`,
        ...(Math.abs(v.clockAheadS ?? 0) > 30 ? [`clock       this machine's clock is ${Math.abs(v.clockAheadS!)} s ${v.clockAheadS! > 0 ? 'behind' : 'ahead of'} the server's`] : []),
        ...(l.identity === undefined ? [] : [`you         ${l.identity.name}, certificate ${days < 0 ? 'EXPIRED' : `valid for ${days} more day${days === 1 ? '' : 's'}`}`]),
        `keys        ${l.keys === 'process' ? 'in a process of their own' : 'in the client\'s own process'}`,
        ...l.phones.map((p) => `phone       ${p.line} at ${p.address}: ${l.registered.some((r) => r.line === p.line) ? 'registered' : 'no phone registered'}`),
        ...(l.calls.length === 0 ? ['calls       none'] : l.calls.map((c) => `call        ${c.room}: ${c.sentence}${c.muted ? ' You are muted.' : ''} (${c.members.map((m) => m.name).join(', ')})${idOf(c)}`)),
      ]
    }),
    ...(s.page === undefined ? [] : [`page        ${s.page}`]),
    ...s.warnings.map((w) => `warning     ${w}`),
  ]
}

/** By which its lines are found in the server's log and in every member's journal. */
const idOf = ({ call }: { readonly call?: string }): string => (call === undefined ? '' : `, call ${call}`)

async function rooms(file: string): Promise<void> {
  const got = await askRunning(file, 'rooms')
  let all: readonly ShownRoom[]
  if (got.ok) all = got.value as ShownRoom[]
  else {
    const config = readConfig(file, clientConfig)
    if (!config.ok) return fail(config.fault)
    all = roomsOf(config.value, [])
  }
  const width = Math.max(0, ...all.map((r) => r.room.length))
  answer({ running: got.ok, rooms: all }, [
    ...(all.length === 0 ? ['No room has a name here: any number behind the room prefix is one.'] : all.map((r) => `${r.room.padEnd(width)}  ${r.dial === undefined ? '' : `dial ${r.dial}`}${r.call === undefined ? '' : `  ${r.call.sentence} (${r.call.members.map((m) => m.name).join(', ')})${idOf(r.call)}`}`)),
    ...(got.ok ? [] : ['(The client does not run: who is in them is not known.)']),
  ])
}

async function logs(file: string, count: number, follow: boolean): Promise<void> {
  const config = readConfig(file, clientConfig)
  if (!config.ok) return fail(config.fault)
  const from = logFile(config.value, file)
  const all = readLog(from)
  if (all.length === 0 && !follow) {
    process.exitCode = EXIT.unavailable
    return complain(`stc: there is no log yet at ${from}: it begins with the first "stc client".`)
  }
  let last = all.at(-1)
  for (const l of all.slice(-count)) show(l)
  if (!follow) return
  // Read anew as a whole: the file turns over when it is full.
  watchFile(from, { interval: LOOK_MS }, () => {
    const now = readLog(from)
    const known = last === undefined ? -1 : now.findLastIndex((l) => l.at === last!.at && l.text === last!.text)
    for (const l of now.slice(known + 1)) show(l)
    last = now.at(-1) ?? last
  })
  await interrupted()
  unwatchFile(from)
}

const show = (l: LogLine): void => {
  if (speaksJson()) return answer(l, [])
  say(`${l.at.slice(0, 19).replace('T', ' ')}  ${l.level === 'warn' ? '!' : ' '} ${[l.line, l.room].filter((x) => x !== undefined).map((x) => `${x}: `).join('')}${l.text}${l.code === undefined ? '' : ` [${l.code}]`}${idOf(l)}`)
}

async function trace(file: string, callId: string | undefined, full: boolean): Promise<void> {
  const got = await askRunning(file, 'trace')
  if (!got.ok) return fail(got.fault)
  const all = (got.value as TracedMessage[]).filter((m) => callId === undefined || m.callId.startsWith(callId))
  if (all.length === 0) {
    process.exitCode = EXIT.unavailable
    return complain(callId === undefined ? 'stc: no phone has signalled since the client started.' : `stc: nothing of a call ${callId}: "stc trace" lists those of which there is something.`)
  }
  if (speaksJson()) for (const m of all) answer(m, [])
  else for (const line of ladder(all, full)) say(line)
}

