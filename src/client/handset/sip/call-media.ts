/** The audio of one call: what the phone offered, what we answered, and how that becomes `RtpPhoneMedia`. */
import { sameBytes, toHex } from '../../../base/bytes.ts'
import type { Random } from '../../../base/ports.ts'
import type { Result } from '../../../base/result.ts'
import { err, ok } from '../../../base/result.ts'
import type { RtpPhoneMedia } from '../../../media/api.ts'
import type { AddressPort } from '../../../net/address.ts'
import type { AudioChoice, AudioPolicy, LocalAudio, SdesKey, SdesSuite, SessionDescription } from '../../../protocol/sdp/index.ts'
import { acceptAnswer, buildAnswer, buildOffer, chooseAudio, isHeld, maySend, parseSdp, sdesLengths, serialiseSdp } from '../../../protocol/sdp/index.ts'

export { isSilent } from '../../../protocol/sdp/index.ts'

/** Where nothing can be sent yet: the discard port (RFC 863). */
const discardPort = 9

export class CallMedia {
  readonly #policy: AudioPolicy
  readonly #random: Random
  readonly #mute: (c: AudioChoice) => boolean
  readonly #sessionId: string
  #version = 0
  #local: AddressPort | undefined
  #peer: SessionDescription | undefined
  #choice: AudioChoice | undefined
  #ownKey: SdesKey | undefined
  #offered: { readonly key: SdesKey | undefined } | undefined
  #lastSent = new Uint8Array(0)
  /** We hold the call; in the next description. */
  held = false

  /** `mute`: what the phone sends then is not heard. */
  constructor(policy: AudioPolicy, random: Random, mute: (c: AudioChoice) => boolean = isHeld) {
    this.#policy = policy
    this.#mute = mute
    this.#random = random
    // RFC 3264 §5: 62 bits at most, so that it fits signed 64-bit numbers.
    this.#sessionId = String(BigInt(`0x${toHex(random.bytes(7))}`))
  }

  /** Takes an offer. On a fault nothing has changed. */
  takeOffer(body: Uint8Array): Result<RtpPhoneMedia> {
    const offer = parseSdp(body)
    if (!offer.ok) return offer
    const choice = chooseAudio(offer.value, this.#policy, this.#choice?.codec)
    if (!choice.ok) return choice
    this.#renewKey(choice.value.sdes)
    this.#peer = offer.value
    this.#choice = choice.value
    return ok(this.media()!)
  }

  /** The answer to the last offer. */
  answer(local: AddressPort): Uint8Array {
    this.#local = local
    return this.#write((l) => buildAnswer(this.#peer!, this.#choice!, l))
  }

  /** An offer of ours, for an INVITE that came without one. */
  offer(local: AddressPort): Uint8Array {
    this.#local = local
    const key = this.#policy.keysAreSafe && this.#policy.srtp === 'required' ? this.#newKey(1, 'AEAD_AES_256_GCM') : undefined
    this.#offered = { key }
    this.#ownKey = key
    return this.#write((l) => buildOffer(this.#policy, l))
  }

  /** A new offer within the call, of the codec that it has: for a change of direction. */
  offerAgain(local: AddressPort): Uint8Array {
    const codecs = this.#choice === undefined ? this.#policy.codecs : [this.#choice.codec]
    this.#local = local
    this.#offered = { key: undefined }
    return this.#write((l) => buildOffer({ ...this.#policy, codecs }, l))
  }

  /** The description that we sent last, as an offer that changes nothing: a session refresh (RFC 4028 §7.4). */
  get lastSent(): Uint8Array {
    return this.#lastSent
  }

  /** Takes the answer to `offer` (or, after `lastSent`, to that). */
  takeAnswer(body: Uint8Array): Result<RtpPhoneMedia> {
    const answer = parseSdp(body)
    if (!answer.ok) return answer
    const choice = this.#offered === undefined ? chooseAudio(answer.value, this.#policy, this.#choice?.codec) : acceptAnswer(answer.value, this.#policy, this.#offered.key)
    if (!choice.ok) return choice
    if (choice.value.sdes?.suite !== this.#ownKey?.suite) return err('SDP_SRTP_REFUSED', 'another suite than before')
    this.#offered = undefined
    this.#peer = answer.value
    this.#choice = choice.value
    return ok(this.media()!)
  }

  /** Our RTP address, once the client has said it. */
  get local(): AddressPort | undefined {
    return this.#local
  }

  media(): RtpPhoneMedia | undefined {
    const c = this.#choice
    if (c === undefined) return undefined
    const { codec, payloadType, telephoneEvent, ptimeMs, remote, sdes } = c
    const own = this.#ownKey
    return {
      kind: 'rtp', codec, payloadType, ptimeMs, remote, hold: this.held || this.#mute(c), send: maySend(c),
      ...(telephoneEvent === undefined ? {} : { telephoneEvent }),
      ...(sdes === undefined || own === undefined ? {} : { srtp: { receive: keysOf(sdes), send: keysOf(own) } }),
    }
  }

  /** Before an answer to our own offer came: our first codec, on hold, sending nowhere. */
  provisional(address: string): RtpPhoneMedia {
    const codec = this.#policy.codecs[0]!
    return { kind: 'rtp', codec, payloadType: { g722: 9, opus: 96, pcmu: 0, pcma: 8 }[codec], ptimeMs: 20, remote: { address, port: discardPort }, hold: true, send: false }
  }

  /** The version rises only when something changed (RFC 3264 §8): an unchanged answer is the same octets. */
  #write(build: (local: LocalAudio) => SessionDescription): Uint8Array {
    const at = (version: number): Uint8Array => serialiseSdp(build({ ...this.#local!, sessionId: this.#sessionId, version, ...(this.held ? { held: true } : {}), ...(this.#ownKey === undefined ? {} : { sdes: this.#ownKey }) }))
    const same = at(this.#version)
    if (this.#version === 0 || !sameBytes(same, this.#lastSent)) this.#lastSent = new Uint8Array(at(++this.#version))
    return this.#lastSent
  }

  /** Ours changes with the phone's: a leg that begins anew must not begin with a key that was used. */
  #renewKey(theirs: SdesKey | undefined): void {
    const before = this.#choice?.sdes
    if (theirs === undefined) this.#ownKey = undefined
    else if (this.#ownKey === undefined || before === undefined || !sameKey(keysOf(before), keysOf(theirs))) this.#ownKey = this.#newKey(theirs.tag, theirs.suite)
    else this.#ownKey = { ...this.#ownKey, tag: theirs.tag }
  }
  #newKey(tag: number, suite: SdesSuite): SdesKey {
    const [key, salt] = sdesLengths[suite]
    return { tag, suite, masterKey: this.#random.bytes(key), masterSalt: this.#random.bytes(salt) }
  }
}

const keysOf = (k: SdesKey) => ({ suite: k.suite, masterKey: k.masterKey, masterSalt: k.masterSalt })

/** Whether a leg that was opened for `a` serves `b` as it is. */
export function sameMedia(a: RtpPhoneMedia, b: RtpPhoneMedia): boolean {
  const sameKeys = a.srtp === undefined || b.srtp === undefined ? a.srtp === b.srtp : sameKey(a.srtp.receive, b.srtp.receive) && sameKey(a.srtp.send, b.srtp.send)
  const flat = (m: RtpPhoneMedia): string => [m.codec, m.payloadType, m.telephoneEvent, m.ptimeMs, m.remote.address, m.remote.port, m.hold, m.send].join()
  return sameKeys && flat(a) === flat(b)
}
type Keys = ReturnType<typeof keysOf>
const sameKey = (a: Keys, b: Keys): boolean => a.suite === b.suite && sameBytes(a.masterKey, b.masterKey) && sameBytes(a.masterSalt, b.masterSalt)
