/** The one connection to the client: a session for the secret of the address, then a WebSocket that comes back by itself. */
import { decodePage, decodeSound, encodePage, encodeSound, PAGE_PROTOCOL, type PageCommand, type PageCommands, type PageFault, type PageMessage, SOUND } from '../../model/page.ts'
import type { Link } from './state.ts'

const TOKEN = 'stc-page-token'
/** The secret of a start, in the fragment of its address. */
const KEY = /^#key=([0-9a-f]{64})$/
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 1500
const ANSWER_MS = 15_000

export interface ConnectionEvents {
  link(l: Link): void
  message(m: PageMessage): void
  sound(kind: number, pcm: Int16Array): void
}

export class Connection {
  readonly #on: ConnectionEvents
  readonly #waiting = new Map<number, (fault: PageFault | undefined) => void>()
  #socket: WebSocket | undefined
  #ref = 0
  #retryMs = FIRST_RETRY_MS
  /** Refused before it opened: the session is not known, or nobody is there. */
  #unopened = 0

  constructor(on: ConnectionEvents) {
    this.#on = on
  }

  async start(): Promise<void> {
    // The address of another start, pasted into this window: only its fragment is new, and browsers load nothing for that.
    addEventListener('hashchange', () => {
      if (KEY.test(location.hash)) location.reload()
    })
    const key = KEY.exec(location.hash)?.[1]
    if (key !== undefined) {
      // Out of the address bar and the history before anything else.
      history.replaceState(null, '', '/')
      const token = await this.#session(key)
      if (token !== undefined) localStorage.setItem(TOKEN, token)
    }
    this.#connect()
  }
  async #session(key: string): Promise<string | undefined> {
    try {
      const answer = await fetch('/session', { method: 'POST', body: key, credentials: 'same-origin' })
      return answer.ok ? await answer.text() : undefined
    } catch {
      return undefined
    }
  }

  #connect(): void {
    const token = localStorage.getItem(TOKEN)
    if (token === null) return this.#on.link('locked')
    const socket = new WebSocket(`ws://${location.host}/socket`, [PAGE_PROTOCOL, `token.${token}`])
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS
      this.#unopened = 0
      this.#on.link('open')
    }
    socket.onmessage = ({ data }) => this.#receive(data as string | ArrayBuffer)
    socket.onclose = () => void this.#closed()
  }
  async #closed(): Promise<void> {
    this.#socket = undefined
    for (const answer of this.#waiting.values()) answer({ code: 'PAGE_LOST', message: '' })
    this.#waiting.clear()
    this.#unopened++
    this.#on.link((await this.#locked()) ? 'locked' : 'lost')
    setTimeout(() => this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs)
  }
  /** Somebody answers at the door, and still there is no way in: this window's session is not known. */
  async #locked(): Promise<boolean> {
    if (this.#unopened < 2) return false
    try {
      return (await fetch('/', { method: 'HEAD', cache: 'no-store' })).ok
    } catch {
      return false
    }
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      const sound = decodeSound(new Uint8Array(data))
      if (sound !== undefined) this.#on.sound(sound.kind, sound.pcm)
      return
    }
    const m = decodePage(data)
    if (m.k === 'done') {
      this.#waiting.get(m.ref)?.(m.fault)
      this.#waiting.delete(m.ref)
    } else this.#on.message(m)
  }

  /** Resolves with what was wrong, or nothing. */
  command<K extends keyof PageCommands>(c: K, args: PageCommands[K]): Promise<PageFault | undefined> {
    const socket = this.#socket
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve({ code: 'PAGE_LOST', message: '' })
    const ref = ++this.#ref
    socket.send(encodePage({ ref, c, ...args } as unknown as PageCommand))
    return new Promise((resolve) => {
      this.#waiting.set(ref, resolve)
      setTimeout(() => {
        if (this.#waiting.delete(ref)) resolve({ code: 'PAGE_LOST', message: '' })
      }, ANSWER_MS)
    })
  }
  speak(pcm: Int16Array): void {
    if (this.#socket?.readyState === WebSocket.OPEN && this.#socket.bufferedAmount < 64_000) this.#socket.send(encodeSound(SOUND.live, pcm))
  }
}
