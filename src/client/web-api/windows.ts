/** The windows of the page that are open: each gets the snapshot and what follows, one of them has the sound. */
import type { WebSocket } from 'ws'
import type { Clock } from '../../base/ports.ts'
import { type BrowserState, decodeSound, encodePage, encodeSound, SOUND } from '../../model/page.ts'
import { type CommandContext, obey, type SetupPort } from './commands.ts'
import type { Hub } from './hub.ts'

/** Beyond this much unsent, sound is left out; beyond the second, the window is gone. */
const SOUND_LIMIT = 64 * 1024
const WAITING_LIMIT = 8 * 1024 * 1024
/** Commands and 50 frames of sound a second, twice over. */
const MESSAGES_PER_SECOND = 300
const LONGEST_FRAME = 1920
const POLICY_VIOLATION = 1008
const PING_MS = 10_000
const TICK_MS = 1000

interface Window extends CommandContext {
  readonly socket: WebSocket
}

export class Windows {
  readonly #hub: Hub
  readonly #clock: Clock
  readonly #windows = new Set<Window>()
  readonly #timers: readonly NodeJS.Timeout[]
  setup: SetupPort | undefined
  /** One more window is open. */
  onOpen: () => void = () => {}

  constructor(hub: Hub, clock: Clock) {
    this.#hub = hub
    this.#clock = clock
    const ping = (): void => {
      for (const w of this.#windows) w.socket.ping()
    }
    // A laptop that was closed does not say goodbye.
    this.#timers = [setInterval(ping, PING_MS).unref(), setInterval(() => hub.tick(), TICK_MS).unref()]
  }

  open(socket: WebSocket): void {
    const windows = this
    const window: Window = {
      socket, hub: this.#hub, audio: false, meters: false,
      get setup() {
        return windows.setup
      },
      takeAudio: (on) => this.#takeAudio(window, on),
      metersChanged: () => this.#metersChanged(),
    }
    this.#windows.add(window)
    this.onOpen()
    const subscription = this.#hub.subscribe((m) => this.#send(window, m))
    socket.once('close', () => {
      subscription[Symbol.dispose]()
      this.#windows.delete(window)
      this.#metersChanged()
      if (window.audio) this.#takeAudio(window, false)
    })
    const rate = { second: 0, count: 0 }
    socket.on('message', (data: Buffer, binary: boolean) => {
      const second = Math.floor(this.#clock.now() / 1000)
      if (second !== rate.second) Object.assign(rate, { second, count: 0 })
      if (++rate.count > MESSAGES_PER_SECOND) socket.close(POLICY_VIOLATION, 'too many messages')
      else if (binary) this.#sound(window, data)
      else void this.#command(window, data.toString('utf8'))
    })
    this.#send(window, encodePage(this.#hub.snapshot))
    this.#tellBrowser(window)
  }
  /** Somebody looks. */
  get any(): boolean {
    return this.#windows.size > 0
  }
  close(): void {
    for (const t of this.#timers) clearInterval(t)
    for (const w of this.#windows) w.socket.close(1001, 'the client ends')
  }

  /** To the window that has the sound. */
  play(pcm: Int16Array): void {
    for (const w of this.#windows) if (w.audio && w.socket.bufferedAmount < SOUND_LIMIT) w.socket.send(encodeSound(SOUND.live, pcm))
  }
  /** The page's phone rings, talks, or has hung up. */
  browserChanged(): void {
    for (const w of this.#windows) this.#tellBrowser(w)
  }

  #sound(w: Window, octets: Uint8Array): void {
    const sound = w.audio ? decodeSound(octets) : undefined
    if (sound?.kind === SOUND.live && sound.pcm.length <= LONGEST_FRAME) this.#hub.browser?.speak(sound.pcm)
  }
  async #command(w: Window, text: string): Promise<void> {
    const answer = await obey(w, text)
    if (answer === undefined) return w.socket.close(POLICY_VIOLATION, 'not a command')
    const { ref, result } = answer
    this.#send(w, encodePage({ k: 'done', ref, ...(result.ok ? {} : { fault: { code: result.fault.code, message: result.fault.message } }) }))
  }
  #takeAudio(window: Window, on: boolean): void {
    if (on) for (const w of this.#windows) w.audio = w === window
    else window.audio = false
    this.browserChanged()
  }
  #metersChanged(): void {
    this.#hub.metered = [...this.#windows].some((w) => w.meters)
  }
  #tellBrowser(w: Window): void {
    const browser: BrowserState = { ...this.#hub.browserState, sound: w.audio ? 'here' : [...this.#windows].some((x) => x.audio) ? 'elsewhere' : 'nowhere' }
    this.#send(w, encodePage({ k: 'browser', browser }))
  }
  #send(w: Window, m: string | Uint8Array): void {
    if (w.socket.bufferedAmount > WAITING_LIMIT) w.socket.terminate()
    else w.socket.send(m)
  }
}
