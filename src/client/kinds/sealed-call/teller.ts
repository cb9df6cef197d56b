/** What the person is told of a call, on the roster and in the ear. */
import { signalTone, type ToneName } from '../../../audio/tones.ts'
import type { Instant } from '../../../base/brand.ts'
import { safeText } from '../../../model/identity.ts'
import type { CallState } from '../../../model/roster.ts'
import type { CallCarrier } from '../../../vault/api/calls.ts'
import type { CallOut } from '../../call.ts'
import { ACCEPT, type SealedCallOptions } from './options.ts'
import type { Peer } from './party.ts'
import { changesOf, PRESENT, same, type Standing } from './standing.ts'

const CARRIER_WORDS: Readonly<Record<CallCarrier, string>> = { server: 'over the server', message: 'in the signalling', 'in-band': 'in the sound' }

export class Teller {
  readonly #o: SealedCallOptions
  readonly #out: (o: CallOut) => void
  now: Instant
  /** What the other side says of itself. */
  #far = PRESENT

  constructor(options: SealedCallOptions, now: Instant, out: (o: CallOut) => void) {
    this.#o = options
    this.now = now
    this.#out = out
  }
  /** True: it is another than before. */
  says(state: Standing): boolean {
    if (same(state, this.#far)) return false
    for (const text of changesOf(this.#far, state)) this.note('SEALED_CALL_STATE', text)
    this.#far = state
    return true
  }
  /** What it said, it said under keys that are no more. */
  forgets(): void {
    this.#far = PRESENT
  }
  call(known: Omit<CallState, 'number' | 'keyId' | 'held' | 'muted'>, { identity, keyId }: Peer): void {
    const state = { ...known, ...(this.#far.hold ? { held: true as const } : {}), ...(this.#far.mute ? { muted: true as const } : {}) }
    this.#out({ kind: 'event', event: { kind: 'sealed-call', at: this.now, ...state, number: safeText(this.#o.number, 64), ...(identity === undefined ? {} : { peer: identity }), ...(keyId === undefined ? {} : { keyId }) } })
  }
  note(code: string, text: string, prominent?: true): void {
    this.#out({ kind: 'event', event: { kind: 'note', at: this.now, code, text, ...(prominent === undefined ? {} : { prominent }) } })
  }
  tone(tone: ToneName): void {
    this.#out({ kind: 'media', command: { op: 'call.play', call: this.#o.call, pcm: signalTone(tone) } })
  }

  converts(prominent?: true): void {
    this.note('SEALED_CALL_CONVERTS', 'The other side has stc, but the way between converts the sound: ask the provider for one codec on both sides', prominent)
  }
  fax(): void {
    this.note('SEALED_CALL_FAX', 'A fax as data (T.38) cannot be sealed and was refused: the call stays what it is, a fax has to go as sound', true)
  }
  asks(): void {
    this.note('SEALED_CALL_ASKS', `This call is not sealed: nobody hears you. Press ${ACCEPT} to talk all the same`, true)
  }
  /** Better carriers led nowhere. */
  missed(carriers: readonly CallCarrier[]): void {
    if (carriers.length > 0) this.note('SEALED_CALL_CARRIER', `Both sides could agree on keys ${carriers.map((c) => CARRIER_WORDS[c]).join(' and ')}, and that led nowhere: something on the way takes it out. The keys are as good`)
  }
  muted(muted: boolean): void {
    this.note(muted ? 'CLIENT_MUTED' : 'CLIENT_UNMUTED', muted ? 'you are muted' : 'you can be heard again')
    this.tone(muted ? 'mute' : 'unmute')
  }
}
