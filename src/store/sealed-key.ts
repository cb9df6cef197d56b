/**
 * A private key at rest: a PEM block "STC SEALED KEY" of
 *
 *   version (1) ‖ lock (1) ‖ generation (4) ‖ machine (16) ‖ log2 N (1) ‖ r (1) ‖ p (1) ‖ salt (32) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
 *
 * AES-256-GCM over PKCS#8, everything before the ciphertext authenticated. The key comes from a passphrase (scrypt, RFC 7914) or from 32 octets
 * that the operating system keeps, or from the enclave's sealing key; and from this machine's id: a copy on another machine does not open.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, scryptSync } from 'node:crypto'
import { ByteReader, ByteWriter, concat, sameBytes } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { encodePem } from '../protocol/x509/pem.ts'

export const SEALED_LABEL = 'STC SEALED KEY'
const VERSION = 1
export const LOCKS = ['passphrase', 'keyring', 'enclave'] as const
/** What the file is opened with. */
export type Lock = (typeof LOCKS)[number]

const FAULTS = {
  passphrase: { without: 'IDENTITY_PASSPHRASE_NEEDED', wrong: 'IDENTITY_PASSPHRASE_WRONG' }, keyring: { without: 'IDENTITY_KEYRING', wrong: 'IDENTITY_KEYRING' },
  enclave: { without: 'IDENTITY_ENCLAVE_ONLY', wrong: 'IDENTITY_ENCLAVE_OTHER' },
} as const

const SALT = 32
const NONCE = 12
const TAG = 16
const MACHINE = 16
/** 128 MiB and about a third of a second. */
const COST = { logN: 17, r: 8, p: 1 }
const MOST_LOG_N = 20

/** What may be needed to open a private key's file. */
export interface KeyUnlock {
  readonly passphrase?: string
  /** What the operating system's keyring gave out. */
  readonly secret?: Uint8Array
  /** The enclave's own, inside it. */
  readonly enclaveKey?: Uint8Array
  /** Id of this machine; absent where it has none. */
  readonly machine?: string
  /** The newest generation of the file that was seen: an older one was put back. */
  readonly leastGeneration?: number
}

export interface SealedKeyInfo {
  readonly lock: Lock
  readonly generation: number
  /** False: opens on any machine. */
  readonly bound: boolean
}

interface Parsed extends SealedKeyInfo {
  readonly machine: Uint8Array
  readonly cost: { readonly logN: number; readonly r: number; readonly p: number }
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  readonly head: Uint8Array
  readonly body: Uint8Array
}

export interface SealKey {
  readonly lock: Lock
  /** The passphrase, in UTF-8, or the secret. */
  readonly with: Uint8Array
  readonly generation: number
  /** Absent: the file opens on any machine. */
  readonly machine?: string
  /** Tests make it cheap. */
  readonly logN?: number
}

/** PEM text. The caller wipes its copy of the key. */
export function sealKey(pkcs8: Uint8Array, o: SealKey): string {
  const cost = { ...COST, ...(o.logN === undefined ? {} : { logN: o.logN }) }
  const [salt, nonce] = [randomBytes(SALT), randomBytes(NONCE)]
  const machine = o.machine === undefined ? new Uint8Array(MACHINE) : machineTag(o.machine, salt)
  const head = new ByteWriter().u8(VERSION).u8(LOCKS.indexOf(o.lock) + 1).u32(o.generation).put(machine).u8(cost.logN).u8(cost.r).u8(cost.p).put(salt).put(nonce).finish()
  const key = keyOf(o.lock, o.with, salt, cost, o.machine)
  const aes = createCipheriv('aes-256-gcm', key, nonce)
  aes.setAAD(head)
  const body = Buffer.concat([aes.update(pkcs8), aes.final(), aes.getAuthTag()])
  key.fill(0)
  return encodePem(SEALED_LABEL, concat(head, body))
}

/** What can be said of such a block without opening it; undefined: it is damaged. */
export const sealedKeyInfo = (bytes: Uint8Array): SealedKeyInfo | undefined => parse(bytes)

function parse(bytes: Uint8Array): Parsed | undefined {
  const r = new ByteReader(bytes)
  const version = r.u8()
  const lock = LOCKS[r.u8() - 1]
  const generation = r.u32()
  const machine = r.take(MACHINE)
  const cost = { logN: r.u8(), r: r.u8(), p: r.u8() }
  const [salt, nonce] = [r.take(SALT), r.take(NONCE)]
  const head = bytes.subarray(0, r.at)
  const body = r.rest()
  // The cost is not authentic yet: no file makes us work for minutes.
  if (r.failed || version !== VERSION || lock === undefined || body.length <= TAG || cost.logN < 10 || cost.logN > MOST_LOG_N || cost.r !== COST.r || cost.p !== COST.p) return undefined
  return { lock, generation, bound: machine.some((o) => o !== 0), machine, cost, salt, nonce, head, body }
}

/** PKCS#8, DER. `name` is the file's, for complaints. */
export function openSealedKey(bytes: Uint8Array, name: string, unlock: KeyUnlock): Result<Uint8Array> {
  const p = parse(bytes)
  if (p === undefined) return err('IDENTITY_FILE_DAMAGED', name)
  const secret = p.lock === 'passphrase' ? passphraseOf(unlock) : p.lock === 'enclave' ? unlock.enclaveKey : unlock.secret
  if (p.bound && (unlock.machine === undefined || !sameBytes(p.machine, machineTag(unlock.machine, p.salt)))) return err('IDENTITY_OTHER_MACHINE', name)
  if (p.generation < (unlock.leastGeneration ?? 0)) return err('IDENTITY_ROLLED_BACK', `${name}: copy ${p.generation}, this machine has seen ${unlock.leastGeneration}`)
  if (secret === undefined) return err(FAULTS[p.lock].without, name)
  const key = keyOf(p.lock, secret, p.salt, p.cost, p.bound ? unlock.machine : undefined)
  try {
    const aes = createDecipheriv('aes-256-gcm', key, p.nonce)
    aes.setAAD(p.head)
    aes.setAuthTag(p.body.subarray(p.body.length - TAG))
    return ok(Uint8Array.from(Buffer.concat([aes.update(p.body.subarray(0, p.body.length - TAG)), aes.final()])))
  } catch {
    return err(FAULTS[p.lock].wrong, name)
  } finally {
    key.fill(0)
  }
}

const passphraseOf = ({ passphrase }: KeyUnlock): Uint8Array | undefined => (passphrase === undefined ? undefined : Buffer.from(passphrase.normalize('NFC'), 'utf8'))

/** What tells one machine from another without telling its id. */
const machineTag = (machine: string, salt: Uint8Array): Uint8Array => createHash('sha256').update('stc machine tag\0').update(salt).update(machine).digest().subarray(0, MACHINE)

function keyOf(lock: Lock, secret: Uint8Array, salt: Uint8Array, cost: Parsed['cost'], machine: string | undefined): Uint8Array {
  const { logN, r, p } = cost
  const stretched = lock === 'passphrase' ? scryptSync(secret, salt, 32, { N: 2 ** logN, r, p, maxmem: 192 * 2 ** logN * r }) : secret
  return new Uint8Array(hkdfSync('sha256', stretched, salt, `stc sealed key v1 ${lock} ${machine ?? ''}`, 32))
}
