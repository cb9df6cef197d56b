/**
 * The messages of the key agreement of sealed calls (docs/protocol/sealed-calls.md §1), the same on every carrier. Each is
 * type (1) ‖ body; integers big-endian, `<x>` a 2-octet length before x:
 *
 *   1 commit    hash (32)                                   I → R     SHA-256 of the label and the body of `open`
 *   2 respond   X25519 (32) ‖ nonce (32) ‖ <offers> ‖ <CPace share>         R → I
 *   3 open      X25519 (32) ‖ ML-KEM-768 (1184) ‖ nonce (32) ‖ <offers> ‖ <CPace share>   I → R
 *   4 encapsulated  ciphertext (1088)                       R → I
 *   5 identity  role (1) ‖ <sealed identity>                both
 *   6 finished  role (1) ‖ MAC (32)                         both
 *   7 abort     <code>                                      both
 *   8 legacy    random (32) ‖ <P-256 key>                   both, profile `chained` alone
 */
import type { Der } from '../../base/brand.ts'
import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../base/bytes.ts'

export const X25519 = 32
export const KEM_KEY = 1184
export const KEM_CIPHERTEXT = 1088
export const NONCE = 32
export const MAC = 32
export const HASH = 32
export const OFFERS_LIMIT = 64
export const IDENTITY_LIMIT = 12_000
export const MESSAGE_LIMIT = IDENTITY_LIMIT + 64
const CHAIN_LIMIT = 6
const CERTIFICATE_LIMIT = 8192

export type Role = 'initiator' | 'responder'
export const CARRIERS = ['server', 'message', 'in-band'] as const
/** What brings the messages to the other side; the best first. */
export type Carrier = (typeof CARRIERS)[number]
export const PAKE_SHARE = 32
export const RANDOM = 32
/** Uncompressed. */
export const P256_POINT = 65

/** What one side can and wants; both are in the transcript, so that nobody can take anything out of them. */
export interface Offers {
  /** Newest first is not needed: the highest common one counts. */
  readonly versions: readonly number[]
  readonly carrier: Carrier
  /** What else its maker could have used: the other side sees what was taken away. */
  readonly able: readonly Carrier[]
  /** Codec of the frames. */
  readonly codec: 'g722' | 'pcmu' | 'pcma'
}
const CODECS = ['g722', 'pcmu', 'pcma'] as const

export type Message =
  | { readonly type: 'commit'; readonly hash: Uint8Array }
  | { readonly type: 'respond'; readonly x25519: Uint8Array; readonly nonce: Uint8Array; readonly offers: Offers; readonly pake: Uint8Array }
  | { readonly type: 'open'; readonly x25519: Uint8Array; readonly kem: Uint8Array; readonly nonce: Uint8Array; readonly offers: Offers; readonly pake: Uint8Array }
  | { readonly type: 'encapsulated'; readonly ciphertext: Uint8Array }
  | { readonly type: 'identity'; readonly role: Role; readonly sealed: Uint8Array }
  | { readonly type: 'finished'; readonly role: Role; readonly mac: Uint8Array }
  | { readonly type: 'abort'; readonly code: string }
  | { readonly type: 'legacy'; readonly random: Uint8Array; readonly publicKey: Uint8Array }

const TYPES = ['commit', 'respond', 'open', 'encapsulated', 'identity', 'finished', 'abort', 'legacy'] as const

export function encodeMessage(m: Message): Uint8Array {
  const w = new ByteWriter().u8(TYPES.indexOf(m.type) + 1)
  switch (m.type) {
    case 'commit': return w.put(m.hash).finish()
    case 'respond': return w.put(m.x25519).put(m.nonce).vec16(encodeOffers(m.offers)).vec16(m.pake).finish()
    case 'open': return w.put(m.x25519).put(m.kem).put(m.nonce).vec16(encodeOffers(m.offers)).vec16(m.pake).finish()
    case 'encapsulated': return w.put(m.ciphertext).finish()
    case 'identity': return w.u8(roleNumber(m.role)).vec16(m.sealed).finish()
    case 'finished': return w.u8(roleNumber(m.role)).put(m.mac).finish()
    case 'abort': return w.vec16(utf8(m.code)).finish()
    case 'legacy': return w.put(m.random).vec16(m.publicKey).finish()
  }
}

/** Undefined for anything but the one encoding. */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.length > MESSAGE_LIMIT) return undefined
  const r = new ByteReader(bytes)
  const message = readBody(r, TYPES[r.u8() - 1])
  return r.done ? message : undefined
}

function readBody(r: ByteReader, type: (typeof TYPES)[number] | undefined): Message | undefined {
  const own = (n: number): Uint8Array => r.take(n).slice()
  switch (type) {
    case 'commit': return { type, hash: own(HASH) }
    case 'respond': {
      const [x25519, nonce, offers, pake] = [own(X25519), own(NONCE), decodeOffers(r.vec16()), readPake(r)]
      return offers && pake && { type, x25519, nonce, offers, pake }
    }
    case 'open': {
      const [x25519, kem, nonce, offers, pake] = [own(X25519), own(KEM_KEY), own(NONCE), decodeOffers(r.vec16()), readPake(r)]
      return offers && pake && { type, x25519, kem, nonce, offers, pake }
    }
    case 'encapsulated': return { type, ciphertext: own(KEM_CIPHERTEXT) }
    case 'identity': {
      const [role, sealed] = [roleOf(r.u8()), r.vec16().slice()]
      return role && { type, role, sealed }
    }
    case 'finished': {
      const [role, mac] = [roleOf(r.u8()), own(MAC)]
      return role && { type, role, mac }
    }
    case 'abort': {
      const code = fromUtf8(r.vec16())
      return code !== undefined && /^[A-Z0-9_]{1,64}$/.test(code) ? { type, code } : undefined
    }
    case 'legacy': {
      const [random, publicKey] = [own(RANDOM), r.vec16().slice()]
      return publicKey.length === 0 || publicKey.length === P256_POINT ? { type, random, publicKey } : undefined
    }
    default: return undefined
  }
}

/** Empty: no password. */
function readPake(r: ByteReader): Uint8Array | undefined {
  const share = r.vec16().slice()
  return share.length === 0 || share.length === PAKE_SHARE ? share : undefined
}

export const roleNumber = (role: Role): number => (role === 'initiator' ? 1 : 2)
const roleOf = (n: number): Role | undefined => (n === 1 ? 'initiator' : n === 2 ? 'responder' : undefined)

function encodeOffers(o: Offers): Uint8Array {
  return new ByteWriter().u8(o.versions.length).put(Uint8Array.from(o.versions)).u8(CARRIERS.indexOf(o.carrier) + 1).u8(CODECS.indexOf(o.codec) + 1).u8(o.able.reduce((bits, c) => bits | (1 << CARRIERS.indexOf(c)), 0)).finish()
}

function decodeOffers(bytes: Uint8Array): Offers | undefined {
  if (bytes.length > OFFERS_LIMIT) return undefined
  const r = new ByteReader(bytes)
  const versions = [...r.take(r.u8())]
  const [carrier, codec, bits] = [CARRIERS[r.u8() - 1], CODECS[r.u8() - 1], r.u8()]
  if (r.failed || carrier === undefined || codec === undefined || versions.length === 0 || r.left > 0 || bits >= 1 << CARRIERS.length) return undefined
  return { versions, carrier, able: CARRIERS.filter((_, i) => (bits & (1 << i)) !== 0), codec }
}

/** Inside `identity`: who one is, a signature where there is a certificate, and the MAC over it. */
export interface IdentityBody {
  /** Empty: no certificate, the short string alone tells who this is. */
  readonly chain: readonly Der[]
  readonly signature: Uint8Array
  readonly mac: Uint8Array
}

export function encodeChain(chain: readonly Der[]): Uint8Array {
  const w = new ByteWriter().u8(chain.length)
  for (const der of chain) w.vec16(der)
  return w.finish()
}

export const encodeIdentity = (b: IdentityBody): Uint8Array => new ByteWriter().put(encodeChain(b.chain)).vec16(b.signature).put(b.mac).finish()

export function decodeIdentity(bytes: Uint8Array): IdentityBody | undefined {
  const r = new ByteReader(bytes)
  const count = r.u8()
  if (count > CHAIN_LIMIT) return undefined
  const chain = Array.from({ length: count }, () => r.vec16().slice() as Der)
  const [signature, mac] = [r.vec16().slice(), r.take(MAC).slice()]
  return r.done && chain.every((der) => der.length > 0 && der.length <= CERTIFICATE_LIMIT) ? { chain, signature, mac } : undefined
}
