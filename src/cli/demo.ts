/** `stc demo`: everything on this machine, to look at or to check. */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { speechOf } from '../audio/wav.ts'
import { must } from '../base/result.ts'
import type { ClientConfig } from '../client/config.ts'
import { showRoster, type Terminal } from '../client/terminal.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { Cast } from '../demo/cast.ts'
import { check } from '../demo/check.ts'
import { lanAddress } from '../demo/lan.ts'
import { freePort } from '../demo/ports.ts'
import { setStage } from '../demo/stage.ts'
import { WireTap } from '../demo/wiretap.ts'
import { workerUrl } from '../media/worker-url.ts'
import { nodeUdp } from '../net/node-udp.ts'
import { complain, EXIT, fail, interrupted, say } from './output.ts'
import { plainTerminal } from './plain-terminal.ts'

const ROOM = '100'
const SERVER_PORT = 7443
const PHONE_PORT = 5060
const TALK_MS = 6000
const ALONE_MS = 3000
const entry = fileURLToPath(workerUrl('demo-process', import.meta.url))
const voice = (name: string): string => fileURLToPath(new URL(`../../demo/voices/${name}.wav`, import.meta.url))

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('a throw-away CA, a server, your client and two talking robots in one sealed room')
    .option('--check', 'without a terminal: let three robots talk, measure, end with one line of JSON')
    .option('--lan', 'let a phone on another machine of the LAN in')
    .action((options: { check?: true; lan?: true }) => (options.check ? runCheck() : runShow(options.lan === true)))
}

/** Progress goes to stderr, so that stdout is the one line. */
async function runCheck(): Promise<void> {
  // Leaves the folder of keys behind no more than the end does; the children end with this process.
  void interrupted().then(() => process.exit(130))
  const voices = [[voice('river')], [voice('harbour')], [voice('meadow')]]
  const serverPort = await freePort(0)
  const tap = new WireTap(nodeUdp(), { address: '127.0.0.1', port: serverPort })
  const mediaPort = (await tap.open()).port
  complain('a throw-away CA, certificates, configurations')
  const made = setStage(createNodeCrypto(), { serverPort, mediaPort, names: ['Robin', 'Harper', 'Meadow'], phones: [] })
  if (!made.ok) return fail(made.fault)
  using stage = made.value
  const cast = new Cast({ stage, entry, voices, room: ROOM, record: true })
  try {
    complain('the server and three clients')
    await cast.start()
    complain('the robots dial')
    await cast.dial()
    complain(`they talk for ${TALK_MS / 1000} s, then each alone for ${ALONE_MS / 1000} s`)
    const verdict = await check({ cast, tap, speech: voices.map((v) => must(speechOf(readFileSync(v[0]!)))), talkMs: TALK_MS, aloneMs: ALONE_MS })
    for (const w of verdict.wrong) complain(`wrong: ${w}`)
    say(JSON.stringify(verdict))
    process.exitCode = verdict.ok ? EXIT.ok : EXIT.failed
  } catch (e) {
    complain(e instanceof Error ? e.message : String(e))
    process.exitCode = EXIT.failed
  } finally {
    await cast.stop()
    await tap.close()
  }
}

async function runShow(lan: boolean): Promise<void> {
  const address = lan ? lanAddress() : '127.0.0.1'
  if (address === undefined) {
    complain('stc: this machine has no address on a LAN; connect it, or leave --lan away')
    process.exitCode = EXIT.unavailable
    return
  }
  const [serverPort, phonePort] = [await freePort(SERVER_PORT), await freePort(PHONE_PORT, lan ? '0.0.0.0' : '127.0.0.1')]
  const password = String(randomInt(10_000_000, 99_999_999))
  const phones: ClientConfig['phones'] = [{
    line: 'you', address: lan ? '0.0.0.0' : '127.0.0.1', port: phonePort, transports: ['udp', 'tcp'], users: lan ? { you: password } : {}, srtp: 'offered',
  }]
  say('1/4  a throw-away CA and three certificates')
  const made = setStage(createNodeCrypto(), { serverPort, names: ['You', 'Harper', 'Meadow'], phones, rooms: { [ROOM]: {} } })
  if (!made.ok) return fail(made.fault)
  using stage = made.value
  const terminal = plainTerminal(say)
  let page = ''
  const cast: Cast = new Cast({
    stage, entry, room: ROOM, record: false, pageOf: 0, voices: [[], [voice('harbour'), voice('coast')], [voice('meadow'), voice('orchard')]],
    onReport: (member, r) => {
      if (member === 0 && r.kind === 'phones') page = r.page ?? ''
      if (member === 0 && r.kind === 'phone') say(`     your phone: ${r.text}`)
      if (member === 0 && r.kind === 'left') say(`     you left the room: ${r.reason}`)
      if (member === 0 && r.kind === 'note' && r.note.text !== '') say(`     ${r.note.text}`)
      if (r.kind === 'roster') shown(terminal, cast)
    },
  })
  let over = false
  const ending = interrupted().then(() => {
    over = true
  })
  const steps: readonly (() => unknown)[] = [
    () => say(`2/4  the server on 127.0.0.1:${serverPort}, your client, two robots`),
    () => cast.start(),
    () => say(`3/4  the robots dial room ${ROOM}`),
    () => cast.dial(),
    () => cast.until(() => cast.members[1]?.roster?.members.length === 2, 10_000),
    () => shown(terminal, cast),
    () => instructions(page, address, phonePort, lan ? password : undefined),
  ]
  try {
    for (const step of steps) if (!over) await Promise.race([step(), ending])
    await ending
    say('\nending: everybody leaves')
  } catch (e) {
    complain(`stc: ${e instanceof Error ? e.message : String(e)}`)
    process.exitCode = EXIT.failed
  } finally {
    await cast.stop()
  }
}

function instructions(page: string, address: string, port: number, password: string | undefined): void {
  say('4/4  ready. Open the page in your browser and call room 100; it has a phone built in:')
  say(`       ${page}`)
  say('     Or with a softphone (Linphone, baresip, Zoiper, any SIP phone):')
  say(`       SIP server and outbound proxy   ${address}:${port} (UDP or TCP)`)
  say('       user name                       you')
  say(`       password                        ${password ?? 'none needed on this machine'}`)
  say(`       then dial                       8${ROOM}`)
  say(`     or in one line:                   baresip -e "/uanew sip:you@${address}:${port};regint=0" -e "/dial sip:8${ROOM}@${address}:${port}"`)
  say('     Compare the security code with the others. Ctrl-C ends everything.')
}

/** The room as the best informed member shows it, each state once. */
let last = ''
function shown(terminal: Terminal, cast: Cast): void {
  const you = cast.members[0]?.roster
  const roster = you?.phase === 'member' ? you : cast.members[1]?.roster
  if (roster === undefined || roster.phase !== 'member') return
  const state = `${roster.securityCode} ${roster.members.map((m) => m.leaf + m.state + (m.unheard ?? '')).join()}`
  if (state === last) return
  last = state
  say('')
  if (roster === you) return showRoster(terminal, roster)
  say('     in the room, as the robots see it:')
  showRoster(terminal, { ...roster, members: roster.members.map((m) => ({ ...m, self: false })) })
}
