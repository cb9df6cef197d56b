/**
 * The in-band carrier (docs/protocol/sealed-calls.md §4): hello in the low bits, then control frames under a key that the two shares give. That key
 * is nobody's in particular: it only makes room for the key agreement itself, which runs inside with keys of its own.
 *
 * One call's octets go through `outgoing` and `incoming`, payload by payload. Until the other side is known to read them no control frame is sent:
 * an ordinary phone never gets anything but its call.
 */
import type { Instant } from '../../../base/brand.ts'
import { compareBytes, concat, utf8 } from '../../../base/bytes.ts'
import type { CryptoPort, KeyPair } from '../../../crypto/port.ts'
import { capacity, type DirectionKeys, fits, type SealedCodec } from '../../frameseal/frame.ts'
import { FrameSession } from '../../frameseal/session.ts'
import { HelloReader, HelloWriter, type PathVerdict } from './hello.ts'
import { Lane, type LaneMessage } from './lane.ts'
import { UNIT } from './low-bits.ts'

export interface Incoming {
  /** To be played as it is: nothing of ours was in it. Absent for control frames. */
  readonly voice?: Uint8Array
  /** Of the agreement, whole and in order. */
  readonly messages: readonly LaneMessage[]
}

export class InBandCarrier implements Disposable {
  readonly #crypto: CryptoPort
  readonly #own: KeyPair
  readonly #writer: HelloWriter
  readonly #reader = new HelloReader()
  readonly #codec: SealedCodec
  readonly #lane: Lane
  #session: FrameSession | undefined
  /** A control frame of the other side opened: it needs no hello any more. */
  #talking = false
  #meeting: Uint8Array | undefined
  #failed = false

  /** `lane`: of the call, when control frames under other keys go on with it later. */
  constructor(crypto: CryptoPort, codec: SealedCodec, lane = new Lane(capacity(UNIT))) {
    this.#lane = lane
    this.#crypto = crypto
    this.#codec = codec
    this.#own = crypto.dhKeyPair('x25519')
    this.#writer = new HelloWriter(this.#own.publicKey)
  }

  get path(): PathVerdict {
    return this.#talking ? 'transparent' : this.#reader.verdict
  }
  /** Messages can be sent: both sides have the other's share, and frames arrive as they were written. */
  get ready(): boolean {
    return this.#session !== undefined && (this.#talking || (this.#reader.answered && this.#reader.verdict === 'transparent'))
  }

  /** 16 octets that whoever wrote the two shares knows; undefined before the other side's came. */
  get meeting(): Uint8Array | undefined {
    return this.#meeting
  }

  /** False: too much waits. */
  send(message: Uint8Array): boolean {
    return this.#lane.push(message)
  }

  /** A payload on its way out: the same octets but for some low bits, or a control frame as long. */
  outgoing(payload: Uint8Array, now: Instant): Uint8Array {
    const control = this.control(payload.length, now)
    if (control !== undefined) return control
    const out = payload.slice()
    if (!this.#talking) this.#writer.write(out, this.#reader.share !== undefined)
    return out
  }
  /** A control frame of `octets` in place of voice, where there is something to say and it would be understood. */
  control(octets: number, now: Instant): Uint8Array | undefined {
    const said = this.ready && fits(octets) ? this.#lane.next(now) : undefined
    const sealed = said && this.#session!.sealControl(said, octets)
    return sealed?.ok === true ? sealed.value : undefined
  }
  /** The messages in a control frame of the other side; undefined: it is none. */
  openControl(payload: Uint8Array, now: Instant): readonly LaneMessage[] | undefined {
    const opened = this.#session?.open(payload, now)
    if (opened?.kind !== 'control') return undefined
    this.#talking = true
    return this.#lane.receive(opened.payload, false)
  }

  incoming(payload: Uint8Array, now: Instant): Incoming {
    const messages = this.openControl(payload, now)
    if (messages !== undefined) return { messages }
    if (!this.#talking) {
      this.#reader.read(payload)
      this.#derive(now)
    }
    return { voice: payload, messages: [] }
  }

  #derive(now: Instant): void {
    const theirs = this.#reader.share
    if (this.#session !== undefined || this.#failed || theirs === undefined) return
    const order = compareBytes(this.#own.publicKey, theirs)
    const lower = order < 0
    const shared = this.#crypto.dh('x25519', this.#own.privateKey, theirs)
    this.#own.privateKey.fill(0)
    // Our own hello come back, or a share that gives nothing.
    this.#failed = shared === undefined || order === 0
    if (shared === undefined || order === 0) return
    const shares = lower ? concat(this.#own.publicKey, theirs) : concat(theirs, this.#own.publicKey)
    const prk = this.#crypto.hkdfExtract('sha512', utf8('stc in band v1'), shared)
    const keysOf = (from: 'lower' | 'higher'): DirectionKeys => {
      const part = (what: string, length: number): Uint8Array => this.#crypto.hkdfExpand('sha512', prk, concat(utf8(`${what} ${from} `), shares), length)
      return { key: part('key', 32), salt: part('salt', 12), mask: part('mask', 32) }
    }
    this.#meeting = this.#crypto.hkdfExpand('sha512', prk, concat(utf8('meeting '), shares), 16)
    this.#session = new FrameSession(this.#crypto, { codec: this.#codec })
    this.#session.addEpoch(0, { send: keysOf(lower ? 'lower' : 'higher'), receive: keysOf(lower ? 'higher' : 'lower') }, now)
    shared.fill(0)
    prk.fill(0)
  }

  [Symbol.dispose](): void {
    this.#own.privateKey.fill(0)
    this.#session?.[Symbol.dispose]()
  }
}
