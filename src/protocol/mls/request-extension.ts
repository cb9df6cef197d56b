/**
 * What a key package was made for: `version (1) ‖ len‖room ‖ len‖realm ‖ nonce (16) ‖ expiry (8, Unix seconds)`.
 * It makes a key package good for one request only (docs/protocol, group rules).
 */
import { type UnixTime, unixTime } from '../../base/brand.ts'
import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'

export interface JoinRequest {
  readonly room: string
  readonly realm: string
  /** 16 octets, never used for another request. */
  readonly nonce: Uint8Array
  readonly expiry: UnixTime
}

export const NONCE_OCTETS = 16
const VERSION = 1

export function encodeRequest(r: JoinRequest): Uint8Array {
  return new ByteWriter().u8(VERSION).vec16(utf8(r.room)).vec16(utf8(r.realm)).put(r.nonce).u64(BigInt(r.expiry)).finish()
}

export function decodeRequest(bytes: Uint8Array): Result<JoinRequest> {
  const r = new ByteReader(bytes)
  const version = r.u8()
  const room = fromUtf8(r.vec16())
  const realm = fromUtf8(r.vec16())
  const nonce = r.take(NONCE_OCTETS).slice()
  const expiry = r.u64()
  if (!r.done || version !== VERSION || room === undefined || realm === undefined || expiry > BigInt(Number.MAX_SAFE_INTEGER)) return err('MLS_KEY_PACKAGE', 'its request extension is malformed')
  return ok({ room, realm, nonce, expiry: unixTime(Number(expiry)) })
}
