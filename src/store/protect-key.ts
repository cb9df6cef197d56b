/** Seals a private key's file, or seals it anew: the file is the old one or the new one, whenever the machine stops. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { type Result, err, ok } from '../base/result.ts'
import { decodePem, withoutCertificates } from '../protocol/x509/pem.ts'
import { replaceFile } from './atomic-file.ts'
import { rememberGeneration, seenGeneration, stateFolder } from './key-memory.ts'
import { type Keyring, systemKeyring } from './keyring.ts'
import { machineId } from './machine-id.ts'
import { privateKeyOf } from './private-key.ts'
import { type KeyUnlock, SEALED_LABEL, sealedKeyInfo, type SealedKeyInfo, sealKey } from './sealed-key.ts'

export interface KeyPlaces {
  readonly keyring: Keyring
  readonly machine: string | undefined
  /** Where generations are remembered. */
  readonly folder: string
}
export const systemPlaces = (): KeyPlaces => ({ keyring: systemKeyring(), machine: machineId(), folder: stateFolder() })

/** Undefined: the file is no sealed one, or cannot be read. */
export function sealedInfoOf(keyFile: string): SealedKeyInfo | undefined {
  try {
    const block = decodePem(sealedPart(keyFile)).find((b) => b.label === SEALED_LABEL)
    return block?.bytes === undefined ? undefined : sealedKeyInfo(block.bytes)
  } catch {
    return undefined
  }
}

/** Whether the key opens with a passphrase alone, as far as that can be seen without reading the key. */
export function needsPassphrase(keyFile: string): boolean {
  if (sealedInfoOf(keyFile)?.lock === 'passphrase') return true
  try {
    return /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(sealedPart(keyFile))
  } catch {
    return false
  }
}

const SEALED_PART_LIMIT = 256 * 1024
/** The largest RSA key has a third of it; an enclave takes no more. */
const KEY_TEXT_LIMIT = 16 * 1024

/**
 * The file up to the end of its sealed key, octet by octet: of a key that lies open not one is read, for it is the vault's alone, and what was
 * read once stays in this process's memory.
 */
function sealedPart(keyFile: string): string {
  const fd = openSync(keyFile, 'r')
  try {
    const octet = Buffer.alloc(1)
    let text = ''
    let line = ''
    while (text.length < SEALED_PART_LIMIT && readSync(fd, octet, 0, 1, null) === 1) {
      line += octet.toString('latin1')
      if (!line.endsWith('\n') && !/^-----(BEGIN|END) [^-]*-----$/.test(line)) continue
      text += line
      if (/^-----BEGIN (RSA|EC) PRIVATE KEY-----/.test(line)) return text + wordAt(fd, 'Proc-Type: 4,ENCRYPTED')
      if (/^-----END STC SEALED KEY-----/.test(line) || (/^-----BEGIN [^-]*PRIVATE KEY-----/.test(line))) return text
      line = ''
    }
    return text
  } finally {
    closeSync(fd)
  }
}

/** `word` where it stands next (RFC 1421 §4.6.1.1), as far as it does: a key that lies open begins with the M of every DER sequence, and no more of it is read. */
function wordAt(fd: number, word: string): string {
  const octet = Buffer.alloc(1)
  let text = ''
  while (text.length < word.length && readSync(fd, octet, 0, 1, null) === 1) {
    const c = octet.toString('latin1')
    if (text === '' && (c === '\r' || c === '\n')) continue
    if (c !== word[text.length]) break
    text += c
  }
  return text
}

/** All that opens this file here, but the passphrase. */
export function unlockFor(keyFile: string, places: KeyPlaces): Result<KeyUnlock> {
  const info = sealedInfoOf(keyFile)
  if (info === undefined) return ok({})
  const machine = places.machine === undefined ? {} : { machine: places.machine }
  const base = { ...machine, leastGeneration: seenGeneration(keyFile, places.folder) }
  if (info.lock !== 'keyring') return ok(base)
  const secret = places.keyring.get(keyFile)
  return secret.ok ? ok({ ...base, secret: secret.value }) : secret
}

export interface Protection {
  /** Absent: the operating system's keyring. */
  readonly passphrase?: string
  readonly anyMachine?: boolean
  readonly logN?: number
}

/** As `protectKey`, by an enclave: it gets what holds the key, and the new text comes from there. */
export async function protectKeyIn(seal: (keyText: Uint8Array, generation: number) => Promise<Result<string>>, keyFile: string, places: KeyPlaces): Promise<Result<SealedKeyInfo>> {
  let text: Uint8Array
  try {
    text = new Uint8Array(readFileSync(keyFile))
  } catch (e) {
    return err((e as NodeJS.ErrnoException).code === 'ENOENT' ? 'IDENTITY_FILE_MISSING' : 'IDENTITY_FILE_UNREADABLE', keyFile)
  }
  const generation = Math.max(seenGeneration(keyFile, places.folder), sealedInfoOf(keyFile)?.generation ?? 0) + 1
  const rest = certificatesOf(Buffer.from(text).toString('latin1'))
  const keyText = withoutCertificates(text)
  text.fill(0)
  const sealed = keyText.length > KEY_TEXT_LIMIT ? err('IDENTITY_FILE_TOO_LARGE', keyFile) : await seal(keyText, generation)
  keyText.fill(0)
  if (!sealed.ok) return sealed
  const replaced = replaceFile(keyFile, Buffer.from(rest + sealed.value, 'latin1'))
  if (!replaced.ok) return replaced
  const remembered = rememberGeneration(keyFile, generation, places.folder)
  return remembered.ok ? ok({ lock: 'enclave', generation, bound: true }) : remembered
}

/** Certificates that stand in the same file stay. */
export const certificatesOf = (text: string): string => decodePem(text).filter((b) => b.label.includes('CERTIFICATE')).map((b) => `${b.text}\n`).join('')

/** `open` opens the file as it is now. */
export function protectKey(keyFile: string, open: KeyUnlock, protection: Protection, places: KeyPlaces): Result<SealedKeyInfo> {
  let text: string
  try {
    text = readFileSync(keyFile, 'latin1')
  } catch (e) {
    return err((e as NodeJS.ErrnoException).code === 'ENOENT' ? 'IDENTITY_FILE_MISSING' : 'IDENTITY_FILE_UNREADABLE', keyFile)
  }
  const key = privateKeyOf(text, keyFile, open)
  if (!key.ok) return key
  const sealed = writeSealedKey(keyFile, key.value, protection, places, certificatesOf(text))
  key.value.fill(0)
  return sealed
}

/** The one that opens the file as it stands, which must not be lost before another file stands there; otherwise a fresh one. */
function keyringSecret(keyFile: string, keyring: Keyring): Result<Uint8Array> {
  if (sealedInfoOf(keyFile)?.lock === 'keyring') return keyring.get(keyFile)
  const fresh = new Uint8Array(randomBytes(32))
  const kept = keyring.put(keyFile, fresh)
  return kept.ok ? ok(fresh) : kept
}

/** A key that was never on this disk unsealed. `before` stands in front of it in the file. The caller wipes its copy. */
export function writeSealedKey(keyFile: string, pkcs8: Uint8Array, protection: Protection, places: KeyPlaces, before = ''): Result<SealedKeyInfo> {
  const generation = Math.max(seenGeneration(keyFile, places.folder), sealedInfoOf(keyFile)?.generation ?? 0) + 1
  const bound = protection.anyMachine === true || places.machine === undefined ? {} : { machine: places.machine }
  const taken = protection.passphrase === undefined ? keyringSecret(keyFile, places.keyring) : ok(Buffer.from(protection.passphrase.normalize('NFC'), 'utf8'))
  if (!taken.ok) return taken
  const secret = taken.value
  const lock = protection.passphrase === undefined ? 'keyring' : 'passphrase'
  const sealed = sealKey(pkcs8, { lock, with: secret, generation, ...bound, ...(protection.logN === undefined ? {} : { logN: protection.logN }) })
  secret.fill(0)
  const written = replaceFile(keyFile, Buffer.from(before + sealed, 'latin1'))
  if (!written.ok) return written
  const remembered = rememberGeneration(keyFile, generation, places.folder)
  return remembered.ok ? ok({ lock, generation, bound: bound.machine !== undefined }) : remembered
}
