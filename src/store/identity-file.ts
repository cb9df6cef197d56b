/** Certificates, keys and anchors from PEM files, as any organisation's authority hands them out. */
import { readFileSync, statSync } from 'node:fs'
import type { Der, UnixTime } from '../base/brand.ts'
import { sameBytes } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import type { CryptoPort, Signer } from '../crypto/port.ts'
import { checkKey } from '../protocol/x509/algorithm.ts'
import { type Certificate, certificateText, parseCertificate } from '../protocol/x509/certificate.ts'
import { delegationAlgorithm } from '../protocol/x509/delegation.ts'
import { type Anchors, CHAIN_LIMIT, makeAnchors } from '../protocol/x509/path.ts'
import { decodePem, type PemBlock, pemText } from '../protocol/x509/pem.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { type KeyUnlock, privateKeyOf } from './private-key.ts'

const FILE_LIMIT = 2 * 1024 * 1024

export interface IdentityFiles extends KeyUnlock {
  /** PEM: own certificate first, intermediates after. */
  readonly certificateFile: string
  /** PEM: PKCS#8 (also encrypted), SEC1 or PKCS#1. May be the same file. */
  readonly keyFile: string
}

export interface OwnCertificate {
  readonly chain: readonly Der[]
  readonly certificate: Certificate
  /** Others on this machine can read the key file. */
  readonly keyExposed: boolean
}

export interface OwnIdentity extends OwnCertificate, Disposable {
  /** Signs with the certificate's key, as delegations want it (PSS for RSA). */
  readonly signer: Signer
  /** PKCS#8, DER, for the TLS endpoint. */
  readonly pkcs8: Secret
}

/** Own certificate chain, without a look at the key: that is for the vault to read. Its trust is for others to judge; its dates are checked here. */
export function readOwnCertificate(files: IdentityFiles, now: UnixTime | 'whenever'): Result<OwnCertificate> {
  const chain = readCertificates(files.certificateFile)
  if (!chain.ok) return chain
  if (chain.value.length > CHAIN_LIMIT) return err('IDENTITY_CHAIN_TOO_LONG', `${chain.value.length} in ${files.certificateFile}`)
  const parsed = parseCertificate(chain.value[0]!)
  if (!parsed.ok) return err(parsed.fault.code, files.certificateFile, parsed.fault)
  const fit = checkOwn(parsed.value, files.certificateFile, now)
  if (!fit.ok) return fit
  return ok({ chain: chain.value, certificate: parsed.value, keyExposed: isExposed(files.keyFile) })
}

/** Own certificate chain and key. */
export function readIdentity(crypto: CryptoPort, files: IdentityFiles, now: UnixTime | 'whenever'): Result<OwnIdentity> {
  const own = readOwnCertificate(files, now)
  if (!own.ok) return own
  const { certificate } = own.value
  const key = readKey(files.keyFile, files)
  if (!key.ok) return key
  const pkcs8 = new Secret(key.value)
  const signer = signerFor(crypto, certificate, pkcs8, files)
  if (!signer.ok) {
    pkcs8[Symbol.dispose]()
    return signer
  }
  const dispose = () => {
    pkcs8[Symbol.dispose]()
    signer.value[Symbol.dispose]()
  }
  return ok({ ...own.value, signer: signer.value, pkcs8, [Symbol.dispose]: dispose })
}

function checkOwn(c: Certificate, file: string, now: UnixTime | 'whenever'): Result<void> {
  if (now === 'whenever') return checkKey(c.key, `${certificateText(c)} in ${file}`)
  if (now > c.notAfter) return err('IDENTITY_EXPIRED', `${certificateText(c)} in ${file} on ${formatTime(c.notAfter)}`)
  if (now < c.notBefore) return err('IDENTITY_NOT_YET_VALID', `${certificateText(c)} in ${file}, valid from ${formatTime(c.notBefore)}`)
  return checkKey(c.key, `${certificateText(c)} in ${file}`)
}

function signerFor(crypto: CryptoPort, certificate: Certificate, pkcs8: Secret, files: IdentityFiles): Result<Signer> {
  const algorithm = delegationAlgorithm(certificate.key)
  if (algorithm === undefined) return err('IDENTITY_KEY_UNSUPPORTED', files.certificateFile)
  const mismatch = err('IDENTITY_KEY_MISMATCH', `${files.keyFile} and ${files.certificateFile}`)
  let signer: Signer
  try {
    signer = crypto.signer(algorithm, pkcs8.reveal())
  } catch {
    return mismatch // A key of another type or curve than the certificate's.
  }
  if (sameBytes(signer.spki, certificate.spki)) return ok(signer)
  signer[Symbol.dispose]()
  return mismatch
}

/** All certificates of a PEM file, in order; at least one. */
export function readCertificates(file: string): Result<Der[]> {
  const blocks = readBlocks(file)
  if (!blocks.ok) return blocks
  const certificates = blocks.value.filter((b) => ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'].includes(b.label))
  if (certificates.length === 0) return err('IDENTITY_FILE_NO_CERTIFICATE', file)
  const ders: Der[] = []
  for (const { bytes } of certificates) {
    if (bytes === undefined) return err('IDENTITY_FILE_DAMAGED', file)
    ders.push(bytes as Der)
  }
  return ok(ders)
}

/** The authorities of one or more PEM files. */
export function readAnchors(files: readonly string[]): Result<Anchors> {
  const all: Der[] = []
  for (const file of files) {
    const ders = readCertificates(file)
    if (!ders.ok) return ders
    const usable = makeAnchors(ders.value)
    if (!usable.ok) return err(usable.fault.code, file, usable.fault)
    all.push(...ders.value)
  }
  return makeAnchors(all)
}

/** The first private key of a PEM file as PKCS#8, DER. */
export function readKey(file: string, unlock: KeyUnlock = {}): Result<Uint8Array> {
  const text = readText(file)
  return text.ok ? privateKeyOf(text.value, file, unlock) : text
}

function readBlocks(file: string): Result<PemBlock[]> {
  const text = readText(file)
  return text.ok ? ok(decodePem(text.value)) : text
}

function readText(file: string): Result<string> {
  try {
    if (statSync(file).size > FILE_LIMIT) return err('IDENTITY_FILE_TOO_LARGE', file)
    return ok(pemText(readFileSync(file)))
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOENT' ? err('IDENTITY_FILE_MISSING', file) : err('IDENTITY_FILE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
}

/** On Windows the mode says nothing. */
const isExposed = (file: string): boolean => process.platform !== 'win32' && (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) % 0o100 !== 0
