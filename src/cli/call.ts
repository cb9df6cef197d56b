/** `stc call ROOM`: a call without a phone and without a browser; the roster and its meters on the terminal. */
import type { Command } from 'commander'
import { err, type Fault, makeFault, type Result } from '../base/result.ts'
import type { RunningCall } from '../client/calls.ts'
import { type ClientConfig, clientConfig, dialPlanOf } from '../client/config.ts'
import { BrowserHandset } from '../client/handset/browser/handset.ts'
import type { ClientObserver } from '../client/options.ts'
import { dial, isEmergency } from '../client/switch.ts'
import { readConfig } from '../store/config.ts'
import { CallScreen } from './call-screen.ts'
import { startRealClient } from './compose-client.ts'
import { configFileOf, withConfig } from './config-file.ts'
import { endAnyway } from './last-resort.ts'
import { atLeastOne } from './options.ts'
import { EXIT, fail, interrupted, say } from './output.ts'
import { preferVoice } from './priority.ts'
import { openSound, type SoundChoice } from './terminal-sound.ts'

const CONNECT_MS = 15_000

interface Options extends SoundChoice {
  readonly config?: string
  readonly silent?: boolean
  readonly for?: number
  readonly with?: number
}

export function registerCall(program: Command): void {
  withConfig(program.command('call').description('call a room from the terminal: live roster, meters, and what you type'))
    .argument('<room>', 'the room\'s name, or what a phone would dial for it')
    .option('--play <file>', 'say this WAV file again and again, instead of the microphone')
    .option('--record <file>', 'write what is heard to this WAV file, instead of the speaker')
    .option('--silent', 'neither microphone nor speaker: look only')
    .option('--for <seconds>', 'leave after this time', atLeastOne)
    .option('--with <people>', 'count the time of --for from when so many are in the room', atLeastOne)
    .action((room: string, o: Options) => callRoom(room, o))
}

export async function callRoom(room: string, o: Options): Promise<void> {
  preferVoice()
  const file = configFileOf(o.config)
  const config = readConfig(file, clientConfig)
  if (!config.ok) return fail(config.fault)
  if (config.value.server === undefined) return fail(makeFault('CLIENT_NO_CHANNEL', 'the configuration names no server'))
  const number = numberOf(config.value, room)
  if (!number.ok) return fail(number.fault)
  const stopped = interrupted()
  let ended: (reason: string) => void = () => {}
  const over = new Promise<string>((resolve) => {
    ended = resolve
  })
  let fault: Fault | undefined
  const screen = new CallScreen(room, () => ended('left'))
  const handset = new BrowserHandset('terminal', {
    change: (s) => {
      if (s.state === 'idle') ended(s.reason ?? 'hung up')
    },
    sound: (pcm) => sound.ok && sound.value.heard(pcm),
  })
  const sound = openSound({ ...o, ...(o.silent === undefined ? {} : { mute: o.silent }) }, (pcm) => handset.speak(pcm), (text) => screen.tell(text))
  if (!sound.ok) return fail(sound.fault)
  using _sound = sound.value
  let limit: NodeJS.Timeout | undefined
  const count = (): void => {
    if (o.for !== undefined) limit ??= setTimeout(() => ended('left'), o.for * 1000)
  }
  const connected = Promise.withResolvers<Result<undefined>>()
  const observer: ClientObserver = {
    onServer: (up, detail) => {
      if (up) connected.resolve({ ok: true, value: undefined })
      // Later the client connects again by itself.
      else if (detail.fault !== undefined) connected.resolve({ ok: false, fault: detail.fault })
    },
    onEvent: (call) => {
      if (o.with !== undefined && call.roster.members.filter((m) => m.state === 'member').length >= o.with) count()
    },
    onOver: (_: RunningCall, reason, why) => {
      fault = why
      ended(reason)
    },
  }
  // Alone in this process: the phones and the page are those of the client that runs beside it, if one does.
  const alone = clientConfig.parse({ ...config.value, phones: [], lines: [], page: false, upstream: 'none' }) as ClientConfig
  const started = await startRealClient(alone, file, { observer: screen.watch(observer), handsets: [handset] })
  if (!started.ok) return fail(started.fault)
  const timer = setTimeout(() => connected.resolve(err('CLIENT_SERVER_SILENT')), CONNECT_MS)
  const up = await Promise.race([connected.promise, stopped.then((): Result<undefined> => err('CLIENT_ENDING'))])
  clearTimeout(timer)
  if (!up.ok) {
    await started.value.stop()
    return fail(up.fault)
  }
  handset.dial(number.value)
  screen.begin({ client: started.value.client, media: started.value.media, memory: started.value.memory, ...(o.silent === true ? { microphone: 'off', speaker: 'off' } : { microphone: sound.value.microphone, speaker: sound.value.speaker }) })
  if (o.with === undefined) count()
  const reason = await Promise.race([over, stopped.then(() => 'left')])
  clearTimeout(limit)
  screen.end()
  await started.value.stop()
  endAnyway()
  const kept = sound.value.finish()
  if (!kept.ok) fail(kept.fault)
  else if (fault !== undefined) fail(fault)
  else {
    say(reason === 'left' || reason === 'hung up' ? 'left' : reason)
    process.exitCode = screen.joined ? EXIT.ok : EXIT.failed
  }
}

/** What a phone would dial: a name or number of the dial plan as it is, everything else is the room's own name. */
export function numberOf(config: ClientConfig, room: string): Result<string> {
  const plan = dialPlanOf(config)
  // Whoever types that means help, not a room.
  if (isEmergency(plan, room)) return err('CLIENT_EMERGENCY', room)
  const named = Object.hasOwn(plan.roomNames, room.toLowerCase()) ? room : Object.entries(plan.roomNames).find(([, name]) => name === room.toLowerCase())?.[0]
  const number = named ?? `${plan.roomPrefix}${room}`
  const dialled = dial(plan, number)
  if (dialled.kind === 'emergency') return err('CLIENT_EMERGENCY', room)
  return dialled.kind === 'target' ? { ok: true, value: number } : err('CLIENT_UNKNOWN_NUMBER', `"${room}" is no name of a room: lower-case letters, digits, . _ -`)
}

