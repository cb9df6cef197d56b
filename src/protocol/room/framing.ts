/**
 * What a server may read of a commit: an MLS PublicMessage shows its group, epoch, sender and proposals (RFC 9420 §6.2).
 * Everything up to the last octet is walked, nothing is verified: signatures and tags need the group context, which
 * the members have. Only commits with by-value Add, Remove and GroupContextExtensions pass.
 */
import { ByteReader } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'

export interface OuterCommit {
  readonly groupId: Uint8Array
  /** The epoch that the commit was made in. */
  readonly epoch: bigint
  /** Leaf of the member that made it. */
  readonly leaf: number
  /** The KeyPackage of each Add, without MLSMessage framing, in order. */
  readonly adds: readonly Uint8Array[]
  readonly removes: readonly number[]
  readonly contextExtensions: boolean
  readonly path: boolean
}

const MLS10 = 1
// Wire formats (§6).
const PUBLIC_MESSAGE = 1
const KEY_PACKAGE = 5
const SENDER_MEMBER = 1
const CONTENT_COMMIT = 3
const BY_VALUE = 1
// Proposal types (§17.4).
const ADD = 1
const REMOVE = 3
const GROUP_CONTEXT_EXTENSIONS = 7
// Leaf node sources (§7.2).
const SOURCE_KEY_PACKAGE = 1
const SOURCE_UPDATE = 2
const SOURCE_COMMIT = 3

/** A vector: its length in 1, 2 or 4 octets in the shortest form (§2.1.2), then its octets (a view). */
function vector(r: ByteReader): Uint8Array {
  const first = r.u8()
  const form = first >>> 6
  let length = first & 0x3f
  if (form === 1) length = length * 0x100 + r.u8()
  else if (form === 2) length = length * 0x1_00_00_00 + r.u24()
  const shortest = form === 0 || (form === 1 && length >= 0x40) || (form === 2 && length >= 0x4000)
  if (!shortest) r.failed = true
  return r.take(length)
}

export function parseCommit(message: Uint8Array): Result<OuterCommit> {
  const r = new ByteReader(message)
  if (r.u16() !== MLS10 || r.u16() !== PUBLIC_MESSAGE) return err('ROOM_BAD_FRAMING', 'no PublicMessage of MLS 1.0')
  const groupId = vector(r)
  const epoch = r.u64()
  if (r.u8() !== SENDER_MEMBER) return err('ROOM_BAD_FRAMING', 'the sender is no member')
  const leaf = r.u32()
  vector(r) // authenticated_data
  if (r.u8() !== CONTENT_COMMIT) return err('ROOM_BAD_FRAMING', 'the content is no commit')
  const proposals = readProposals(new ByteReader(vector(r)))
  if (!proposals.ok) return proposals
  const path = r.u8()
  if (path > 1) return err('ROOM_BAD_FRAMING', 'the path is neither there nor absent')
  if (path === 1) skipUpdatePath(r)
  vector(r) // signature
  vector(r) // confirmation_tag
  vector(r) // membership_tag
  if (!r.done) return err('ROOM_BAD_FRAMING', r.failed ? 'it ends early' : `${r.left} octets behind the end`)
  return ok({ groupId, epoch, leaf, ...proposals.value, path: path === 1 })
}

function readProposals(r: ByteReader): Result<Pick<OuterCommit, 'adds' | 'removes' | 'contextExtensions'>> {
  const adds: Uint8Array[] = []
  const removes: number[] = []
  let contextExtensions = false
  while (!r.failed && r.left > 0) {
    if (r.u8() !== BY_VALUE) return err('ROOM_BAD_FRAMING', 'a proposal by reference')
    const type = r.u16()
    if (type === ADD) {
      const from = r.at
      skipKeyPackage(r)
      adds.push(r.bytes.subarray(from, r.at))
    } else if (type === REMOVE) removes.push(r.u32())
    else if (type === GROUP_CONTEXT_EXTENSIONS && !contextExtensions) {
      vector(r)
      contextExtensions = true
    } else return err('ROOM_BAD_FRAMING', `a proposal of type ${type}`)
  }
  if (r.failed) return err('ROOM_BAD_FRAMING', 'the proposals end early')
  return ok({ adds, removes, contextExtensions })
}

function skipKeyPackage(r: ByteReader): void {
  r.u16() // version
  r.u16() // cipher_suite
  vector(r) // init_key
  skipLeafNode(r)
  vector(r) // extensions
  vector(r) // signature
}

function skipLeafNode(r: ByteReader): void {
  vector(r) // encryption_key
  vector(r) // signature_key
  r.u16() // credential_type: basic and x509 are one vector each
  vector(r)
  for (let i = 0; i < 5; i++) vector(r) // capabilities
  const source = r.u8()
  if (source === SOURCE_KEY_PACKAGE) r.take(16) // lifetime
  else if (source === SOURCE_COMMIT) vector(r) // parent_hash
  else if (source !== SOURCE_UPDATE) r.failed = true
  vector(r) // extensions
  vector(r) // signature
}

function skipUpdatePath(r: ByteReader): void {
  skipLeafNode(r)
  const nodes = new ByteReader(vector(r))
  while (!nodes.failed && nodes.left > 0) {
    vector(nodes) // encryption_key
    const ciphertexts = new ByteReader(vector(nodes))
    while (!ciphertexts.failed && ciphertexts.left > 0) {
      vector(ciphertexts) // kem_output
      vector(ciphertexts) // ciphertext
    }
    if (ciphertexts.failed) nodes.failed = true
  }
  if (nodes.failed) r.failed = true
}

/** The KeyPackage in an MLSMessage (a view), or undefined when it has not the outer form of one. */
export function keyPackageIn(message: Uint8Array): Uint8Array | undefined {
  const r = new ByteReader(message)
  if (r.u16() !== MLS10 || r.u16() !== KEY_PACKAGE) return undefined
  skipKeyPackage(r)
  return r.done ? message.subarray(4) : undefined
}
