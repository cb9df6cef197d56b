/**
 * A backup: files by name, sealed with a passphrase.
 *
 *   "stc backup 1\n" ‖ log2 N (1) ‖ salt (32) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
 *
 * AES-256-GCM under scrypt (RFC 7914, r = 8, p = 1), everything before the ciphertext authenticated; the plaintext is JSON.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { z } from 'zod'
import { type Result, err, ok } from '../base/result.ts'

const MAGIC = Buffer.from('stc backup 1\n')
const SALT = 32
const NONCE = 12
const TAG = 16
const HEAD = MAGIC.length + 1 + SALT + NONCE
/** 128 MiB and about a third of a second. */
const LOG_N = 17
const MOST_LOG_N = 20
const R = 8

export interface BackupFile {
  /** With slashes, below the folder that it is restored into. */
  readonly name: string
  readonly octets: Uint8Array
  /** A private key that was sealed for its machine, and is to be sealed again. */
  readonly sealed?: boolean
}
export interface Backup {
  /** ISO 8601. */
  readonly made: string
  /** Of `files`: the configuration. */
  readonly config: string
  readonly files: readonly BackupFile[]
}

const shape = z.strictObject({
  made: z.string().max(64), config: z.string().max(1024),
  files: z.array(z.strictObject({ name: z.string().min(1).max(1024).refine(isPlain, 'leaves the folder'), octets: z.base64(), sealed: z.boolean().optional() })).max(100_000),
})

/** Nothing that a joined path could climb out with. */
function isPlain(name: string): boolean {
  return !name.startsWith('/') && !/[\\:\0]/.test(name) && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

export function sealBackup(b: Backup, passphrase: string, logN = LOG_N): Uint8Array {
  const plain = Buffer.from(JSON.stringify({ ...b, files: b.files.map((f) => ({ ...f, octets: Buffer.from(f.octets).toString('base64') })) }))
  const [salt, nonce] = [randomBytes(SALT), randomBytes(NONCE)]
  const head = Buffer.concat([MAGIC, Buffer.of(logN), salt, nonce])
  const key = keyOf(passphrase, salt, logN)
  const aes = createCipheriv('aes-256-gcm', key, nonce)
  aes.setAAD(head)
  const out = Buffer.concat([head, aes.update(plain), aes.final(), aes.getAuthTag()])
  key.fill(0)
  plain.fill(0)
  return out
}

/** `name` is the file's, for complaints. BACKUP_DAMAGED, BACKUP_PASSPHRASE. */
export function openBackup(bytes: Uint8Array, passphrase: string, name: string): Result<Backup> {
  const all = Buffer.from(bytes)
  const logN = all[MAGIC.length] ?? 0
  // The cost is not authentic yet: no file makes us work for minutes.
  if (all.length < HEAD + TAG || !all.subarray(0, MAGIC.length).equals(MAGIC) || logN < 10 || logN > MOST_LOG_N) return err('BACKUP_DAMAGED', name)
  const salt = all.subarray(MAGIC.length + 1, MAGIC.length + 1 + SALT)
  const key = keyOf(passphrase, salt, logN)
  let plain: Buffer
  try {
    const aes = createDecipheriv('aes-256-gcm', key, all.subarray(HEAD - NONCE, HEAD))
    aes.setAAD(all.subarray(0, HEAD))
    aes.setAuthTag(all.subarray(all.length - TAG))
    plain = Buffer.concat([aes.update(all.subarray(HEAD, all.length - TAG)), aes.final()])
  } catch {
    return err('BACKUP_PASSPHRASE', name)
  } finally {
    key.fill(0)
  }
  try {
    const read = shape.safeParse(JSON.parse(plain.toString('utf8')))
    if (!read.success) return err('BACKUP_DAMAGED', name)
    return ok({ ...read.data, files: read.data.files.map(({ sealed, ...f }) => ({ ...f, octets: Uint8Array.from(Buffer.from(f.octets, 'base64')), ...(sealed === undefined ? {} : { sealed }) })) })
  } catch {
    return err('BACKUP_DAMAGED', name)
  } finally {
    plain.fill(0)
  }
}

const keyOf = (passphrase: string, salt: Uint8Array, logN: number): Buffer => scryptSync(Buffer.from(passphrase.normalize('NFC')), salt, 32, { N: 2 ** logN, r: R, p: 1, maxmem: 192 * 2 ** logN * R })
