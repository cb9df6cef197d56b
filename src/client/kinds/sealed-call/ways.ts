/** What brings messages of the agreement to the other side beside the sound: the signalling of the call, and the server where both meet. */
import type { CallProgress } from '../../../vault/api/calls.ts'
import type { CallIn, CallOut } from '../../call.ts'
import type { SealedCallOptions } from './options.ts'
import type { Sessions } from './sessions.ts'

export class Ways {
  readonly #o: SealedCallOptions
  readonly #sessions: Sessions
  readonly #out: (o: CallOut) => void

  constructor(options: SealedCallOptions, sessions: Sessions, out: (o: CallOut) => void) {
    this.#o = options
    this.#sessions = sessions
    this.#out = out
  }
  /** Asks whether somebody is there. Whoever is called is asked; whoever calls asks. */
  probe(): void {
    if (this.#o.carriers.includes('message')) this.#out({ kind: 'signal', call: this.#o.call, what: 'probe' })
  }
  meet(token: Uint8Array): void {
    this.#sessions.meeting = token
    if (this.#o.carriers.includes('server')) this.#out({ kind: 'send', message: { k: 'call-meet', token } })
  }
  send({ send, carrier }: CallProgress): void {
    const token = this.#sessions.meeting
    for (const message of send) {
      if (carrier === 'message') this.#out({ kind: 'signal', call: this.#o.call, what: message })
      else if (carrier === 'server' && token !== undefined) this.#out({ kind: 'send', message: { k: 'call-message', token, message } })
    }
  }
  /** From our server: the other side is there, or what it says. */
  came(m: Extract<CallIn, { kind: 'wire' }>['message']): 'met' | Uint8Array | undefined {
    if ((m.k !== 'call-met' && m.k !== 'call-message') || !this.#sessions.meetsAt(m.token)) return undefined
    return m.k === 'call-met' ? 'met' : m.message
  }
}
