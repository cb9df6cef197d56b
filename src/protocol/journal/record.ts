/**
 * The journal's records: append-only, each bound to the one before, sealed under a key that only the vault has.
 *
 *     record     length (4, of what follows) ‖ kind (1) ‖ number (8) ‖ hash of the record before (32) ‖ payload
 *     1 opening     salt (32)
 *     2 entry       AES-256-GCM under HKDF(journal key, salt of the opening), nonce = 0^4 ‖ number, AAD = kind ‖ number ‖ hash before
 *     3 checkpoint  time (8) ‖ len‖realm ‖ key (32) ‖ algorithm, public key, signature (protocol/policy/envelope.ts) over all before it
 *
 * Every start of a vault opens anew under a fresh salt: a restored copy can use no key and nonce a second time. A checkpoint
 * is signed by the certificate's key and says in the open how far the journal went: what is before it can be deleted.
 */
import { type UnixTime, unixTime } from '../../base/brand.ts'
import { ByteReader, ByteWriter, concat, fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { equalConstantTime } from '../../base/secret.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import { keyIdOf, openEnvelope, signEnvelope } from '../policy/envelope.ts'

/** A room of two hundred with the longest names is half of it. */
export const RECORD_LIMIT = 128 * 1024
export const ENTRY_LIMIT = 120 * 1024
export const HASH = 32
export const SALT = 32
const HEAD = 1 + 8 + HASH
const LABEL = 'stc journal checkpoint v1'
const KINDS = ['opening', 'entry', 'checkpoint'] as const
export type RecordKind = (typeof KINDS)[number]

/** Where the next record goes: its number and what it follows. */
export interface Tip {
  readonly number: number
  readonly before: Uint8Array
}
export const START: Tip = { number: 1, before: new Uint8Array(HASH) }

export interface JournalRecord {
  readonly kind: RecordKind
  readonly number: number
  readonly before: Uint8Array
  readonly payload: Uint8Array
  /** SHA-256 of the whole record. */
  readonly hash: Uint8Array
  readonly octets: number
}

export interface Checkpoint {
  readonly number: number
  readonly time: UnixTime
  readonly realm: string
  /** Hash of the record before: what it vouches for. */
  readonly before: string
  readonly by: string
}

const header = (kind: RecordKind, { number, before }: Tip): Uint8Array => new ByteWriter().u8(KINDS.indexOf(kind) + 1).u64(BigInt(number)).put(before).finish()

export function frameRecord(crypto: CryptoPort, kind: RecordKind, tip: Tip, payload: Uint8Array): { readonly bytes: Uint8Array; readonly next: Tip } {
  const body = concat(header(kind, tip), payload)
  const bytes = new ByteWriter().u32(body.length).put(body).finish()
  return { bytes, next: { number: tip.number + 1, before: crypto.hash('sha256', bytes) } }
}

/** The record at the reader; undefined where there is no whole one. */
export function readRecord(crypto: CryptoPort, r: ByteReader): JournalRecord | undefined {
  const from = r.at
  const length = r.u32()
  if (r.failed || length < HEAD || length > RECORD_LIMIT || r.left < length) return undefined
  const body = new ByteReader(r.take(length))
  const kind = KINDS[body.u8() - 1]
  const number = Number(body.u64())
  const before = body.take(HASH).slice()
  const payload = body.rest().slice()
  if (kind === undefined || !Number.isSafeInteger(number)) return undefined
  return { kind, number, before, payload, hash: crypto.hash('sha256', r.bytes.subarray(from, from + 4 + length)), octets: 4 + length }
}

export const sectionKey = (crypto: CryptoPort, journalKey: Uint8Array, salt: Uint8Array): Uint8Array => crypto.hkdfExpand('sha256', crypto.hkdfExtract('sha256', salt, journalKey), utf8('stc journal section v1'), 32)

const nonce = (number: number): Uint8Array => new ByteWriter().u32(0).u64(BigInt(number)).finish()

export const sealEntry = (crypto: CryptoPort, key: Uint8Array, tip: Tip, entry: Uint8Array): Uint8Array => crypto.aeadSeal('aes-256-gcm', key, nonce(tip.number), header('entry', tip), entry)

/** Undefined where it was changed, or stands in another place than it was written for. */
export const openEntry = (crypto: CryptoPort, key: Uint8Array, r: JournalRecord): Uint8Array | undefined => crypto.aeadOpen('aes-256-gcm', key, nonce(r.number), header('entry', r), r.payload)

export function signCheckpoint(crypto: CryptoPort, tip: Tip, realm: string, time: UnixTime, signer: Signer): Uint8Array {
  const body = new ByteWriter().u64(BigInt(tip.number)).put(tip.before).u64(BigInt(time)).vec16(utf8(realm)).put(fromHex(keyIdOf(crypto, signer.spki))!).finish()
  return signEnvelope(LABEL, body, signer)
}

export function readCheckpoint(crypto: CryptoPort, r: JournalRecord): Result<Checkpoint> {
  const reader = new ByteReader(r.payload)
  const number = Number(reader.u64())
  const before = reader.take(HASH).slice()
  const time = Number(reader.u64())
  const realm = fromUtf8(reader.vec16())
  const claimed = toHex(reader.take(HASH))
  if (reader.failed || realm === undefined || number !== r.number || toHex(before) !== toHex(r.before)) return err('JOURNAL_CHANGED', `checkpoint ${r.number}`)
  const by = openEnvelope(crypto, LABEL, reader, 'JOURNAL_CHANGED')
  if (!by.ok) return by
  return by.value === claimed ? ok({ number, time: unixTime(time), realm, before: toHex(before), by: by.value }) : err('JOURNAL_CHANGED', `checkpoint ${r.number}`)
}

/** Of one certificate's key and realm: its own journal, which nobody else's key opens. `secret`: what is private in the key, whatever file it stood in. */
export const journalKeyFor = (crypto: CryptoPort, secret: Uint8Array, realm: string): Uint8Array =>
  crypto.hkdfExpand('sha256', crypto.hkdfExtract('sha256', utf8('stc journal v1'), secret), new ByteWriter().put(utf8('stc journal key v1')).vec16(utf8(realm)).finish(), 32)

/**
 * How far the journal went at least, kept beside it: number (8) ‖ hash (32) ‖ HMAC (32). Without it, cutting records off the end
 * would look like a machine that stopped.
 */
export function sealHead(crypto: CryptoPort, journalKey: Uint8Array, next: Tip): Uint8Array {
  const body = new ByteWriter().u64(BigInt(next.number)).put(next.before).finish()
  return concat(body, crypto.hmac('sha256', journalKey, utf8('stc journal head v1'), body))
}
export function openHead(crypto: CryptoPort, journalKey: Uint8Array, bytes: Uint8Array): Tip | undefined {
  const r = new ByteReader(bytes)
  const body = r.take(8 + HASH)
  const mac = r.take(32)
  if (!r.done || !equalConstantTime(mac, crypto.hmac('sha256', journalKey, utf8('stc journal head v1'), body))) return undefined
  const tip = new ByteReader(body)
  return { number: Number(tip.u64()), before: tip.take(HASH).slice() }
}
