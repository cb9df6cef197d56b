/** Messages with the outside of MLS and nothing inside: for tests of a server, which sees no more. */
import { ByteWriter } from '../../src/base/bytes.ts'

/** RFC 9420 §2.1.2. */
function vec(w: ByteWriter, bytes: Uint8Array): ByteWriter {
  const n = bytes.length
  if (n < 0x40) w.u8(n)
  else if (n < 0x4000) w.u16(0x4000 | n)
  else w.u32((0x8000_0000 | n) >>> 0)
  return w.put(bytes)
}
const blob = (n: number, fill: number): Uint8Array => new Uint8Array(n).fill(fill)

function leafNode(w: ByteWriter, mark: number, source: 'key package' | 'commit'): void {
  vec(w, blob(32, mark))
  vec(w, blob(32, mark))
  vec(w.u16(1), blob(40, mark))
  for (let i = 0; i < 5; i++) vec(w, blob(2, 0))
  if (source === 'key package') w.u8(1).u64(0n).u64(100n)
  else vec(w.u8(3), blob(32, mark))
  vec(w, blob(0, 0))
  vec(w, blob(64, mark))
}

function bareKeyPackage(mark: number): Uint8Array {
  const w = new ByteWriter()
  vec(w.u16(1).u16(1), blob(32, mark))
  leafNode(w, mark, 'key package')
  vec(w, new ByteWriter().u32(mark).finish())
  vec(w, blob(64, mark))
  return w.finish()
}

/** As an MLSMessage; another one for every mark. */
export const fakeKeyPackage = (mark: number): Uint8Array => new ByteWriter().u16(1).u16(5).put(bareKeyPackage(mark)).finish()

export interface FakeCommit {
  groupId: Uint8Array
  epoch: bigint
  leaf: number
  /** MLSMessages of key packages. */
  adds?: readonly Uint8Array[]
  removes?: readonly number[]
  contextExtensions?: boolean
  path?: boolean
  /** Any octets that tell one commit from another. */
  mark?: number
  /** Raw octets of one more proposal. */
  proposal?: Uint8Array
}

export function fakeCommit(c: FakeCommit): Uint8Array {
  const proposals = new ByteWriter()
  for (const leaf of c.removes ?? []) proposals.u8(1).u16(3).u32(leaf)
  for (const keyPackage of c.adds ?? []) proposals.u8(1).u16(1).put(keyPackage.subarray(4))
  if (c.contextExtensions === true) vec(proposals.u8(1).u16(7), blob(20, 1))
  if (c.proposal !== undefined) proposals.put(c.proposal)
  const w = new ByteWriter()
  vec(w.u16(1).u16(1), c.groupId)
  w.u64(c.epoch).u8(1).u32(c.leaf)
  vec(w, new ByteWriter().u32(c.mark ?? 0).finish())
  vec(w.u8(3), proposals.finish())
  if (c.path === false) w.u8(0)
  else {
    leafNode(w.u8(1), 9, 'commit')
    const node = new ByteWriter()
    vec(node, blob(32, 3))
    const ciphertexts = new ByteWriter()
    vec(vec(ciphertexts, blob(32, 4)), blob(48, 5))
    vec(node, ciphertexts.finish())
    vec(w, node.finish())
  }
  vec(w, blob(64, 6))
  vec(w, blob(32, 7))
  vec(w, blob(32, 8))
  return w.finish()
}
