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
import { doctorGerman } from './doctor/german.ts'
import { privacyGerman } from './german/privacy.ts'
import { faultText, type Language, languageOf } from './language.ts'
import { atLeastOne } from './options.ts'
import { answer, complain, EXIT, fail, interrupted, say, speaksJson } from './output.ts'
import { roomsOf, type ShownRoom } from './rooms-known.ts'
import { STATUS_WORDS } from './status-words.ts'
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
  answer(s, statusLines(s, Date.now() / 1000, languageOf()))
  process.exitCode = s.lines.every((l) => l.server.up || l.server.host === '') ? EXIT.ok : EXIT.unavailable
}

export function statusLines(s: ClientStatus, now: number, language: Language = 'en'): string[] {
  const w = STATUS_WORDS[language]
  const row = (label: keyof typeof w.label, text: string): string => `${w.label[label].padEnd(12)}${text}`
  return [
    w.process(s.version, s.pid, s.config),
    ...s.lines.flatMap((l) => {
      const clock = l.server.clockAheadS ?? 0
      const days = l.identity === undefined ? 0 : Math.floor((l.identity.notAfter - now) / 86_400)
      return [
        ...(l.name === '' ? [] : [row('line', l.name)]),
        row('server', serverText(l.server, w, language)),
        ...(Math.abs(clock) > 30 ? [row('clock', clock > 0 ? w.behind(clock) : w.ahead(-clock))] : []),
        ...(l.identity === undefined ? [] : [row('you', days < 0 ? w.expired(l.identity.name) : w.valid(l.identity.name, days))]),
        row('keys', w.kept[l.keys]),
        ...l.phones.map((p) => row('phone', w.phoneAt(p.line, p.address) + (l.registered.some((r) => r.line === p.line) ? w.registered : w.unregistered))),
        ...(l.calls.length === 0 ? [row('calls', w.none)] : l.calls.map((c) => row('call', `${c.room}: ${sentenceOf(c, language)}${c.muted ? w.muted : ''} (${c.members.map((m) => m.name).join(', ')})${idOf(c, language)}`))),
      ]
    }),
    ...(s.page === undefined ? [] : [row('page', s.page)]),
    ...s.warnings.map((text) => row('warning', language === 'de' ? (doctorGerman(text) ?? text) : text)),
  ]
}

function serverText(v: ClientStatus['lines'][number]['server'], w: (typeof STATUS_WORDS)[Language], language: Language): string {
  if (v.host === '') return w.noServer
  if (!v.up) return w.notConnected(v.host, v.fault === undefined ? '' : `: ${faultText(v.fault, language)} [${v.fault.code}]`)
  return w.connected(v.host, v.path === 'none' ? w.noMedia : w.media(v.path.toUpperCase()) + (v.roundTripMs === undefined ? '' : w.roundTrip(v.roundTripMs.toFixed(0))))
}

const sentenceOf = ({ sentence }: { readonly sentence: string }, language: Language): string => (language === 'de' ? privacyGerman(sentence) : sentence)
/** By which its lines are found in the server's log and in every member's journal. */
const idOf = ({ call }: { readonly call?: string }, language: Language): string => (call === undefined ? '' : STATUS_WORDS[language].callId(call))

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
  const language = languageOf()
  const w = STATUS_WORDS[language]
  answer({ running: got.ok, rooms: all }, [
    ...(all.length === 0 ? [w.noRooms] : all.map((r) => `${r.room.padEnd(width)}  ${r.dial === undefined ? '' : w.dial(r.dial)}${r.call === undefined ? '' : `  ${sentenceOf(r.call, language)} (${r.call.members.map((m) => m.name).join(', ')})${idOf(r.call, language)}`}`)),
    ...(got.ok ? [] : [w.notRunning]),
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
  say(`${l.at.slice(0, 19).replace('T', ' ')}  ${l.level === 'warn' ? '!' : ' '} ${[l.line, l.room].filter((x) => x !== undefined).map((x) => `${x}: `).join('')}${l.text}${l.code === undefined ? '' : ` [${l.code}]`}${idOf(l, languageOf())}`)
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

