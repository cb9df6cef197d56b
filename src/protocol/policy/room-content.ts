/**
 * What is remembered of rooms, as octets: policies and block notices. Each is signed.
 *
 *     "stc rooms 1\n" ‖ (kind (1: 1 policy, 2 notice) ‖ length (4) ‖ octets) …; a policy is len (4)‖base ‖ state
 */
import { ByteReader, ByteWriter, sameBytes, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { SignedRoom } from '../../model/policy.ts'

const MAGIC = utf8('stc rooms 1\n')
const POLICY = 1
const NOTICE = 2

export interface RoomContent {
  readonly policies: readonly SignedRoom[]
  readonly notices: readonly Uint8Array[]
}

export function encodeRooms(c: RoomContent): Uint8Array {
  const w = new ByteWriter(4096).put(MAGIC)
  for (const { base, state } of c.policies) w.u8(POLICY).u32(4 + base.length + state.length).u32(base.length).put(base).put(state)
  for (const n of c.notices) w.u8(NOTICE).u32(n.length).put(n)
  return w.finish()
}

export function decodeRooms(bytes: Uint8Array, file = 'rooms'): Result<RoomContent> {
  const r = new ByteReader(bytes)
  const policies: SignedRoom[] = []
  const notices: Uint8Array[] = []
  if (!sameBytes(r.take(MAGIC.length), MAGIC)) return err('STORE_DAMAGED', file)
  while (!r.failed && r.left > 0) {
    const kind = r.u8()
    const body = new ByteReader(r.take(r.u32()))
    if (kind === POLICY) policies.push({ base: body.take(body.u32()).slice(), state: body.rest().slice() })
    else if (kind === NOTICE) notices.push(body.rest().slice())
    else r.failed = true
    if (!body.done) r.failed = true
  }
  return r.done ? ok({ policies, notices }) : err('STORE_DAMAGED', file)
}
