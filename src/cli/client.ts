/** `stc client`: one client in the foreground, its roster on the terminal. */
import { type Command, Option } from 'commander'
import { type Fault, makeFault } from '../base/result.ts'
import type { RunningCall } from '../client/calls.ts'
import type { OwnLine } from '../client/own-line.ts'
import { type ClientConfig, clientConfig, linesOf } from '../client/config.ts'
import type { CallEvent } from '../model/roster.ts'
import { lanAddress } from '../demo/lan.ts'
import { showEvent, showNote, showRoster } from '../client/terminal.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { showAddress } from '../net/address.ts'
import { readConfig } from '../store/config.ts'
import { Attended } from './attended.ts'
import { type ClientExtras, type RealClient, startRealClient } from './compose-client.ts'
import { endAnyway } from './last-resort.ts'
import { coded, complain, EXIT, fail, interrupted, say } from './output.ts'
import { plainTerminal, RosterPrints } from './plain-terminal.ts'
import { startAsking } from './locked-key.ts'
import { clientWithPage, pageAlone, sessionsFile } from './page.ts'
import { preferVoice } from './priority.ts'
import { renewal, renewIfDue } from './renewal.ts'
import { takeTyped } from './typed-commands.ts'

export function registerClient(program: Command): void {
  program
    .command('client')
    .description('run a client beside your phone')
    .requiredOption('-c, --config <file>', 'configuration (YAML; docs/operations.md lists the keys)')
    .addOption(new Option('--vault <where>', 'keep the keys elsewhere than configured').choices(['process', 'in-process']))
    .action((options: { config: string; vault?: ClientConfig['vault'] }) => runClient(options.config, options.vault))
  program
    .command('gateway')
    .description('bring an extension of your PBX into a sealed room, where everybody sees that telephone callers can hear')
    .requiredOption('-c, --config <file>', "configuration, as of a client; its phone is the PBX's way in")
    .action((options: { config: string }) => runClient(options.config, undefined, 'gateway'))
}

export async function runClient(file: string, vault?: ClientConfig['vault'], kind?: 'gateway'): Promise<void> {
  preferVoice()
  const stopped = interrupted()
  // Anew after a renewal, with the new certificate.
  while (await runOnce(file, vault, stopped, kind)) say('starting anew with the new certificate')
}

/** True when it ended for a new certificate. */
async function runOnce(file: string, vault: ClientConfig['vault'] | undefined, stopped: Promise<void>, kind?: 'gateway'): Promise<boolean> {
  const config = readConfig(file, clientConfig)
  if (!config.ok) return failed(config.fault)
  if (kind === 'gateway' && config.value.phones.length === 0) return failed(makeFault('CONFIG_WRONG', `${file}: phones: the PBX needs an address to dial; name one`))
  let broken: (fault: Coded) => void = () => {}
  const breakdown = new Promise<Coded>((resolve) => {
    broken = resolve
  })
  // A gateway is nobody's screen and nobody's way out.
  const chosen: ClientConfig = { ...config.value, ...(vault === undefined ? {} : { vault }), ...(kind === undefined ? {} : { kind, upstream: 'none', page: false }) }
  const page = chosen.page === false ? undefined : await pageAlone({ port: chosen.page.port, sessionsFile: sessionsFile(file) })
  if (page?.ok === false) complain(`stc: ${coded(page.fault)}`)
  const lines = linesOf(chosen)
  const [first, ...others] = lines
  for (const line of lines) await renewIfDue(line, file)
  await using attended = new Attended(first, file)
  const name = others.length > 0 ? lineName(first) : ''
  const extras = attended.extras(first, name, extrasFor(first, name, broken))
  const window = page?.ok === true ? page.value : undefined
  const started = await startAsking(window, first, file, (c) => (window === undefined ? startRealClient(c, file, extras) : clientWithPage(window, c, file, extras)), stopped)
  if (started?.ok !== true) {
    await window?.close()
    return started === undefined ? false : failed(started.fault)
  }
  const running: Pick<RealClient, 'client' | 'phones' | 'warnings' | 'identity' | 'vault' | 'memory' | 'stop'>[] = [started.value]
  for (const line of others) {
    const one = await startRealClient(line, file, attended.extras(line, lineName(line), extrasFor(line, lineName(line), broken)))
    if (!one.ok) {
      await Promise.all(running.map((r) => r.stop()))
      return failed(one.fault)
    }
    running.push(one.value)
  }
  await attended.open(running, page?.ok === true ? page.value.url : undefined)
  const { vault: { report } } = started.value
  const [phones, warnings] = [running.flatMap((r) => r.phones), new Set(running.flatMap((r) => r.warnings))]
  say(report === undefined ? 'vault: in this process' : `vault: ${report.isolated ? 'isolated process' : 'process'}, program ${report.measurement.slice(0, 16)}`)
  for (const w of warnings) complain(`stc: ${w}`)
  for (const p of phones) say(kind === 'gateway' ? `gateway ${p.line}: the PBX dials sip:NUMBER@${p.address}, with the number of a room` : `phone ${p.line}: register or dial at sip:${p.line}@${reachable(p.address)}`)
  if (page?.ok === true) say(`page: ${page.value.url}`)
  showLine(started.value.client.upstream?.line)
  started.value.memory.onFault = (message) => complain(`stc: ${message}`)
  using _typed = takeTyped({ client: started.value.client, memory: started.value.memory, crypto: createNodeCrypto(), terminal: plainTerminal(say) })
  const renewed = renewal(lines.map((config, n) => ({ config, known: running[n]!.memory.evidence })), file, () => running.every((r) => r.client.calls.length === 0))
  const end = await Promise.race([stopped, breakdown, renewed.due.then(() => 'renewed' as const)])
  renewed.stop()
  if (end !== undefined && end !== 'renewed') {
    // Without its threads it is of no use: whoever watches over it starts it again.
    complain(`stc: ${coded(end)}`)
    process.exitCode = EXIT.failed
  }
  say('leaving')
  await Promise.all(running.map((r) => r.stop()))
  if (end !== 'renewed') endAnyway()
  return end === 'renewed'
}

/** The page's phone at the telephone system: whether it is there, and who called. */
function showLine(line: OwnLine | undefined): void {
  let shown = ''
  line?.subscribe((n) => {
    const now = n.kind === 'missed' ? `missed a call of ${n.ring.number}` : n.kind === 'failed' ? coded(n.fault) : line.registered ? 'registered' : line.fault === undefined ? '' : `not registered: ${coded(line.fault)}`
    if (now !== '' && now !== shown) say(`telephone ${line.number}: ${now}`)
    shown = now
  })
}

function failed(fault: Fault): false {
  fail(fault)
  return false
}

const lineName = (c: ClientConfig): string => c.phones[0]?.line ?? 'main'

/** What one line tells on the terminal; its name stands in front where there are several. */
function extrasFor(config: ClientConfig, name: string, broken: (fault: Coded) => void): ClientExtras {
  const tell = name === '' ? say : (text: string): void => say(`${name}: ${text}`)
  const terminal = plainTerminal(tell)
  const prints = new RosterPrints()
  return {
    providerWay: (host, fault, from) => tell(fault === undefined ? `telephone provider ${host}: reached again, from ${from}` : `telephone provider ${host}: ${coded(fault)}`),
    relayReport: (fault, about) => tell(`pbx: ${about}: ${coded(fault)}`),
    ...(config.log === 'debug' ? { report: (fault, from) => tell(`refused from ${showAddress(from)}: ${coded(fault)}`) } : {}),
    observer: {
      onServer: (up, { fault }) => {
        tell(up ? `connected to ${config.server?.host}` : fault === undefined ? 'not connected' : `not connected: ${coded(fault)}`)
      },
      onVault: (fault, final) => {
        tell(`vault: ${coded(fault)}`)
        if (final) broken(fault)
      },
      onPhone: (e) => {
        if (e.kind === 'registered') tell(`phone ${e.line} registered: ${e.contact}`)
        else if (e.kind === 'unregistered') tell(`phone ${e.line} unregistered: ${e.contact}`)
        else if (e.kind === 'dial') tell(`phone ${e.line} dials ${e.target}`)
      },
      onEvent: (call, e) => {
        showEvent(terminal, call.name, e)
        if (e.kind === 'flag' || e.kind === 'notice') showNote(terminal, call.name, call.roster.notes.at(-1)!)
        // Who talks changes all the time: the screen shows it, the terminal does not.
        const changed = e.kind === 'group' || e.kind === 'confirmed' || (e.kind === 'sealed-call' && e.state !== 'early') || (e.kind === 'conference' && isNews(call, e))
        if (prints.isDue(call, e, changed)) showRoster(terminal, call.roster)
      },
      onOver: (call, reason, fault) => tell(`${call.name}: ${fault === undefined ? reason : coded(fault)}`),
      onMedia: (e) => {
        if (e.op === 'fault') {
          tell(`media: ${coded(e)}`)
          if (e.code === 'MEDIA_WORKER') broken(e)
        }
        else if (e.op === 'hop.path') say(`media to the server: ${e.path}${e.roundTripMs === undefined ? '' : `, ${e.roundTripMs.toFixed(1)} ms`}`)
      },
    },
  }
}

/** Nobody can dial "every address of this machine". */
const reachable = (address: string): string => address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, lanAddress() ?? '127.0.0.1')

type Coded = Pick<Fault, 'message'> & { readonly code: string }

const lastSeen = new WeakMap<RunningCall, string>()
function isNews(call: RunningCall, e: Extract<CallEvent, { kind: 'conference' }>): boolean {
  const text = JSON.stringify([e.state, e.members, e.callers], (k, v: unknown) => (k === 'talking' ? undefined : v))
  const before = lastSeen.get(call)
  lastSeen.set(call, text)
  return before !== text
}
