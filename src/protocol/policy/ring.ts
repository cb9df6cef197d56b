/**
 * A signed word by which somebody is asked into a room, now. The server passes it on and cannot make one: who calls is what
 * the certificate says that its key signed with.
 *
 *     version = 1 (1) ‖ id (16) ‖ issued (8, Unix seconds) ‖ len‖realm ‖ len‖room ‖ len‖to, then as envelope.ts
 */
import type { UnixTime } from '../../base/brand.ts'
import { ByteReader, ByteWriter, fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import { RING_ID, RING_TO } from '../../model/ring.ts'
import { openEnvelope, signEnvelope } from './envelope.ts'
import { RING_LIMIT } from './limits.ts'

const LABEL = 'stc ring v1'
const VERSION = 1
const ROOM = /^[a-z0-9][a-z0-9._-]{0,63}$/
/** It rings for a minute; the rest is for clocks. */
const LIFETIME_S = 300

export interface Ring {
  /** Hex. */
  readonly id: string
  readonly realm: string
  readonly room: string
  /** As `RING_TO`, in lower case. */
  readonly to: string
}

export function signRing(ring: Ring, issued: UnixTime, signer: Signer): Result<Uint8Array> {
  const id = fromHex(ring.id)
  if (id?.length !== RING_ID || !RING_TO.test(ring.to) || !ROOM.test(ring.room)) return err('RING_MALFORMED')
  const body = new ByteWriter().u8(VERSION).put(id).u64(BigInt(issued)).vec16(utf8(ring.realm)).vec16(utf8(ring.room)).vec16(utf8(ring.to)).finish()
  return ok(signEnvelope(LABEL, body, signer))
}

/** Form, signature and time. `by`: the key that signed; whose it is and whether it is for us is up to the reader. */
export function readRing(crypto: CryptoPort, bytes: Uint8Array, realm: string, now: UnixTime): Result<Ring & { readonly by: string }> {
  if (bytes.length > RING_LIMIT) return err('RING_MALFORMED', 'too long')
  const r = new ByteReader(bytes)
  const version = r.u8()
  const id = toHex(r.take(RING_ID))
  const issued = r.u64()
  const [forRealm, room, to] = [fromUtf8(r.vec16()), fromUtf8(r.vec16()), fromUtf8(r.vec16())]
  if (r.failed || version !== VERSION || room === undefined || to === undefined || !ROOM.test(room) || !RING_TO.test(to)) return err('RING_MALFORMED')
  if (forRealm !== realm) return err('RING_MALFORMED', 'of another realm')
  if (issued > BigInt(now + LIFETIME_S) || issued + BigInt(LIFETIME_S) < BigInt(now)) return err('RING_STALE')
  const by = openEnvelope(crypto, LABEL, r, 'RING_MALFORMED')
  return by.ok ? ok({ id, realm, room, to, by: by.value }) : by
}
