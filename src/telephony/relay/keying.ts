/**
 * SRTP keys of one phone leg by SDES (RFC 4568): what was offered, what was agreed. Keys stand in descriptions between the
 * phone and its half alone, under TLS or on one machine; between the halves a description says RTP/AVP.
 */
import type { Random } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { equalConstantTime } from '../../base/secret.ts'
import { type SdesKey, type SdesSuite, sdesLengths, sdesValue } from '../../protocol/sdp/index.ts'

export interface KeyRules {
  /** Most wanted first. */
  readonly suites: readonly SdesSuite[]
  /** False: this key has protected another call. */
  readonly fresh: (key: SdesKey, callId: string) => boolean
  /** RTP in clear is refused; otherwise it is as the phone has it. */
  readonly required: boolean
  /** Who is called is offered keys. */
  readonly offers: boolean
  /** Why no keys can be used, for people. */
  readonly barred?: string
}

export interface AgreedKeys {
  /** What the phone sends with. */
  readonly receive: SdesKey
  readonly send: SdesKey
}

/** Crypto attributes for a description, and whether its stream has to be called RTP/SAVP. */
export interface KeysOut {
  readonly attributes: readonly string[]
  readonly secure: boolean
}

export interface KeysIn {
  readonly keys: readonly SdesKey[]
  /** The stream is RTP/SAVP, not RTP/AVP with keys as some phones write it. */
  readonly secure: boolean
}

/** RTP/AVP without a key. */
const IN_CLEAR: KeysOut = { attributes: [], secure: false }
/** Of the phone's key in one call. */
const changesLimit = 100

export const sameKey = (a: SdesKey, b: SdesKey): boolean => a.suite === b.suite && equalConstantTime(a.masterKey, b.masterKey) && equalConstantTime(a.masterSalt, b.masterSalt)

export class Keying {
  readonly #random: Random
  readonly #rules: KeyRules
  /** The phone's offer that was last, its best key, and our key for the answer once one was made. */
  #theirs: { readonly key: SdesKey | undefined; readonly secure: boolean; ours: SdesKey | undefined; answered: boolean } | undefined
  /** What we offered and the phone has not answered; empty: RTP in clear. */
  #offered: readonly SdesKey[] | undefined
  #agreed: AgreedKeys | undefined
  #clear = false
  /** How the phone writes its streams. */
  #secure: boolean
  /** The phone's keys that others took the place of: going back to one would repeat its packets. */
  readonly #past: SdesKey[] = []

  constructor(random: Random, rules: KeyRules) {
    this.#random = random
    this.#rules = rules
    this.#secure = rules.required
  }
  get barred(): string | undefined {
    return this.#rules.barred
  }
  get agreed(): AgreedKeys | undefined {
    return this.#agreed
  }
  /** RTP is in clear, as the phone offered or answered. */
  get clear(): boolean {
    return this.#clear
  }
  /** The phone has to answer. */
  get asks(): boolean {
    return this.#offered !== undefined
  }
  /** The phone waits for an answer. */
  get asked(): boolean {
    return this.#theirs?.answered === false
  }

  /** Its keys count from our answer on (§7.1.2). Fails with SDP_SRTP_REQUIRED, SDP_SRTP_REFUSED, RELAY_KEY_REUSED; then all stays as it was. */
  theirOffer({ keys: all, secure }: KeysIn, callId: string): Result<void> {
    const keys = this.#usable(all)
    const key = this.#rules.suites.flatMap((suite) => keys.filter((k) => k.suite === suite))[0]
    if (key === undefined) return this.#theirOfferInClear({ keys, secure })
    const good = this.#check(key, callId)
    if (!good.ok) return good
    this.#theirs = { key, secure, ours: undefined, answered: false }
    return ok(undefined)
  }
  #theirOfferInClear({ keys, secure }: KeysIn): Result<void> {
    const { required, barred } = this.#rules
    if (secure || (required && keys.length > 0)) return err('SDP_SRTP_REFUSED', barred ?? 'no usable key')
    if (required) return err('SDP_SRTP_REQUIRED', barred)
    this.#theirs = { key: undefined, secure, ours: undefined, answered: false }
    // Under keys it stays until that is answered.
    if (this.#agreed === undefined) this.#clear = true
    return ok(undefined)
  }
  /** §5.1.2: the tag and suite of what was accepted, a key of our own. The same one again for the same offer. */
  ourAnswer(): Result<KeysOut> {
    const theirs = this.#theirs
    if (theirs === undefined && (this.#rules.required || this.#agreed !== undefined)) return err('RELAY_MISMATCH', 'an answer to no offer')
    if (theirs !== undefined) {
      // What we had asked before that is void: nobody answers it any more.
      if (!theirs.answered) this.#offered = undefined
      theirs.answered = true
    }
    if (theirs?.key === undefined) {
      this.#inClear()
      return ok(IN_CLEAR)
    }
    theirs.ours ??= { ...this.#ours(theirs.key.suite), tag: theirs.key.tag }
    this.#agree({ receive: theirs.key, send: theirs.ours }, theirs.secure)
    return ok({ attributes: [sdesValue(theirs.ours)], secure: theirs.secure })
  }

  /** A running call goes on with its key, so that its numbers go on as well (§7.1.4). */
  ourOffer(): Result<KeysOut> {
    const { required, offers, suites, barred } = this.#rules
    const agreed = this.#agreed
    if (required && !offers) return err('SDP_SRTP_REQUIRED', barred)
    this.#offered ??= agreed !== undefined ? [{ ...agreed.send, tag: 1 }] : offers && !this.#clear ? suites.map((suite, i) => ({ ...this.#fresh(suite), tag: i + 1 })) : []
    return ok(this.#offered.length === 0 ? IN_CLEAR : { attributes: this.#offered.map(sdesValue), secure: this.#secure })
  }
  /** Whether what we offered and the phone refused can be written in another way: keys in RTP/AVP are nothing for those that take SRTP alone. */
  insist(): boolean {
    const can = this.#offered !== undefined && this.#offered.length > 0 && this.#agreed === undefined && !this.#secure
    if (can) this.#secure = true
    return can
  }
  /** Exactly one of those that we offered (§5.1.3), or none where that may be and the call is not under keys. */
  theirAnswer({ keys: all, secure }: KeysIn, callId: string): Result<void> {
    const agreed = this.#agreed
    const keys = this.#usable(all)
    const [key] = keys
    if (key === undefined && !secure && !this.#rules.required && agreed === undefined) {
      this.#offered = undefined
      this.#inClear()
      return ok(undefined)
    }
    if (key === undefined || keys.length !== 1) return err('SDP_SRTP_REFUSED', 'no key, or several, in an answer')
    // The answer of 183 comes once more in 200.
    if (this.#offered === undefined) return agreed !== undefined && sameKey(agreed.receive, key) ? ok(undefined) : err('SDP_SRTP_REFUSED', 'an answer with another key than before')
    const ours = this.#offered.find((o) => o.tag === key.tag && o.suite === key.suite)
    if (ours === undefined) return err('SDP_SRTP_REFUSED', 'the answer names a suite that was not offered')
    const good = this.#check(key, callId)
    if (!good.ok) return good
    this.#offered = undefined
    this.#agree({ receive: key, send: ours }, secure)
    return ok(undefined)
  }
  /** The phone's offer that was last came to nothing. */
  refused(): void {
    this.#offered = undefined
    if (this.asked) this.#theirs = undefined
  }
  /** Ours did: the next one is made for the call as it is then. */
  oursRefused(): void {
    this.#offered = undefined
  }

  #usable(keys: readonly SdesKey[]): readonly SdesKey[] {
    return this.#rules.barred === undefined ? keys : []
  }
  #inClear(): void {
    if (this.#agreed !== undefined) this.#past.push(this.#agreed.receive)
    this.#agreed = undefined
    this.#clear = true
  }
  #agree(keys: AgreedKeys, secure: boolean): void {
    this.#clear = false
    this.#secure = secure
    if (this.#agreed !== undefined && !sameKey(this.#agreed.receive, keys.receive)) this.#past.push(this.#agreed.receive)
    this.#agreed = keys
  }
  /** One key for two directions or two calls is one key stream for two packets (RFC 3711 §9.1). */
  #check(key: SdesKey, callId: string): Result<void> {
    const own = [...(this.#offered ?? []), ...(this.#agreed === undefined ? [] : [this.#agreed.send])]
    if (own.some((o) => equalConstantTime(o.masterKey, key.masterKey))) return err('RELAY_KEY_REUSED', 'it is our own')
    if (this.#agreed !== undefined && sameKey(this.#agreed.receive, key)) return ok(undefined)
    if (this.#past.length >= changesLimit || this.#past.some((p) => sameKey(p, key))) return err('RELAY_KEY_REUSED')
    return this.#rules.fresh(key, callId) ? ok(undefined) : err('RELAY_KEY_REUSED')
  }
  #ours(suite: SdesSuite): SdesKey {
    return this.#agreed?.send.suite === suite ? this.#agreed.send : this.#fresh(suite)
  }
  #fresh(suite: SdesSuite): SdesKey {
    const [key, salt] = sdesLengths[suite]
    return { tag: 1, suite, masterKey: this.#random.bytes(key), masterSalt: this.#random.bytes(salt) }
  }
}
