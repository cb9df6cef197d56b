/**
 * Which stream is whose. A member says it once for everybody in an MLS application message,
 * `version (1) ‖ len‖epoch authenticator ‖ SSRC (4) ‖ len‖signature`; the signature alone,
 * over `len‖group id ‖ leaf (4) ‖ SSRC (4)` with the leaf's key, is what later members get to see, in the Welcome.
 */
import { type Ssrc, ssrc } from '../../base/brand.ts'
import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { LEAVES_LIMIT } from './limits.ts'
import { signedContent } from '../policy/signed.ts'

const VERSION = 1
const LABEL = 'stc stream v1'

export interface StreamClaim {
  readonly leaf: number
  readonly ssrc: Ssrc
  readonly signature: Uint8Array
}

export interface Announcement {
  readonly epochAuthenticator: Uint8Array
  readonly ssrc: Ssrc
  readonly signature: Uint8Array
}

const content = (groupId: Uint8Array, leaf: number, stream: Ssrc): Uint8Array => signedContent(LABEL, new ByteWriter().vec16(groupId).u32(leaf).u32(stream).finish())

export function signStream(crypto: CryptoPort, groupId: Uint8Array, leaf: number, stream: Ssrc, privateKey: Uint8Array): StreamClaim {
  return { leaf, ssrc: stream, signature: crypto.signRaw('ed25519', privateKey, content(groupId, leaf, stream)) }
}

export const verifyStream = (crypto: CryptoPort, groupId: Uint8Array, claim: StreamClaim, signatureKey: Uint8Array): boolean =>
  crypto.verifyRaw('ed25519', signatureKey, content(groupId, claim.leaf, claim.ssrc), claim.signature)

export const encodeAnnouncement = (a: Announcement): Uint8Array =>
  new ByteWriter().u8(VERSION).vec16(a.epochAuthenticator).u32(a.ssrc).vec16(a.signature).finish()

export function decodeAnnouncement(bytes: Uint8Array): Result<Announcement> {
  const r = new ByteReader(bytes)
  const version = r.u8()
  const epochAuthenticator = r.vec16().slice()
  const stream = ssrc(r.u32())
  const signature = r.vec16().slice()
  return r.done && version === VERSION ? ok({ epochAuthenticator, ssrc: stream, signature }) : err('MLS_MESSAGE', 'malformed')
}

export function encodeStreams(claims: readonly StreamClaim[]): Uint8Array {
  const w = new ByteWriter().u8(VERSION).u16(claims.length)
  for (const c of claims) w.u32(c.leaf).u32(c.ssrc).vec16(c.signature)
  return w.finish()
}

export function decodeStreams(bytes: Uint8Array): Result<StreamClaim[]> {
  const r = new ByteReader(bytes)
  const version = r.u8()
  const count = r.u16()
  const claims: StreamClaim[] = []
  if (version !== VERSION || count > LEAVES_LIMIT) return err('MLS_WELCOME', 'malformed list of streams')
  for (let i = 0; i < count && !r.failed; i++) claims.push({ leaf: r.u32(), ssrc: ssrc(r.u32()), signature: r.vec16().slice() })
  return r.done ? ok(claims) : err('MLS_WELCOME', 'malformed list of streams')
}
