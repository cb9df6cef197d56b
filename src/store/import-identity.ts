/** Certificates and keys in whatever form an authority hands them out, put in order. */
import { readFileSync, statSync } from 'node:fs'
import type { Der } from '../base/brand.ts'
import { sameBytes } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { type Certificate, parseCertificate } from '../protocol/x509/certificate.ts'
import { delegationAlgorithm } from '../protocol/x509/delegation.ts'
import { sameName } from '../protocol/x509/name.ts'
import { decodePem, pemText } from '../protocol/x509/pem.ts'
import { readKey } from './identity-file.ts'
import { cleanKey, isPkcs12, readPkcs12, readPkcs7 } from './pkcs12/read.ts'

const FILE_LIMIT = 2 * 1024 * 1024

export interface Imported {
  /** Own certificate first, then what leads upwards; a root of the file is left out. */
  readonly chain: readonly Der[]
  /** The root that stood in the file, if any: whether it is to be trusted is not for the file to say. */
  readonly root: Der | undefined
  /** PKCS#8. */
  readonly pkcs8: Uint8Array
}

/** PEM, DER, PKCS#7 or PKCS#12; the key from the same file, or from `keyFile`. */
export function importIdentity(crypto: CryptoPort, file: string, options: { readonly password?: string; readonly keyFile?: string; readonly keyPassphrase?: string }): Result<Imported> {
  let bytes: Uint8Array
  try {
    if (statSync(file).size > FILE_LIMIT) return err('IDENTITY_FILE_TOO_LARGE', file)
    bytes = new Uint8Array(readFileSync(file))
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' ? err('IDENTITY_FILE_MISSING', file) : err('IDENTITY_FILE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
  if (isPkcs12(bytes)) return fromPkcs12(crypto, file, bytes, options.password)
  const ders = certificatesIn(bytes)
  if (ders === undefined) return err('IDENTITY_FILE_NO_CERTIFICATE', file)
  const key = readKey(options.keyFile ?? file, options.keyPassphrase === undefined ? {} : { passphrase: options.keyPassphrase })
  return key.ok ? assemble(crypto, file, ders, [key.value]) : key
}

function fromPkcs12(crypto: CryptoPort, file: string, bytes: Uint8Array, password: string | undefined): Result<Imported> {
  if (password === undefined) return err('IDENTITY_PASSPHRASE_NEEDED', file)
  const read = readPkcs12(bytes, password)
  if (!read.ok) return read
  const keys = read.value.keys.flatMap((k) => cleanKey(k) ?? [])
  if (keys.length === 0 || read.value.certificates.length === 0) return err('IDENTITY_PKCS12_CONTENT', `${file}: ${read.value.keys.length} keys, ${read.value.certificates.length} certificates`)
  return assemble(crypto, file, read.value.certificates, keys)
}

/** PEM, DER or PKCS#7; undefined: none. */
export function certificatesIn(bytes: Uint8Array): Der[] | undefined {
  const blocks = decodePem(pemText(bytes))
  const pem = blocks.filter((b) => b.label.endsWith('CERTIFICATE')).flatMap((b) => (b.bytes === undefined ? [] : [b.bytes as Der]))
  if (pem.length > 0) return pem
  const container = blocks.find((b) => b.label === 'PKCS7' || b.label === 'CMS')?.bytes ?? bytes
  const signed = readPkcs7(container)
  if (signed !== undefined && signed.length > 0) return signed
  return parseCertificate(bytes).ok ? [bytes as Der] : undefined
}

/** The certificate whose key it is, and those above it by name. */
function assemble(crypto: CryptoPort, file: string, ders: readonly Der[], keys: readonly Uint8Array[]): Result<Imported> {
  const all: Certificate[] = []
  for (const der of ders) {
    const parsed = parseCertificate(der)
    if (parsed.ok) all.push(parsed.value)
    else if (ders.length === 1) return parsed
  }
  for (const pkcs8 of keys) {
    const own = all.find((c) => isKeyOf(crypto, pkcs8, c))
    if (own === undefined) continue
    const chain: Certificate[] = [own]
    for (let top = own; chain.length < 8; ) {
      const next: Certificate | undefined = all.find((c) => sameName(c.subject, top.issuer) && !chain.includes(c))
      if (next === undefined) break
      chain.push(next)
      top = next
    }
    const root = chain.length > 1 ? chain.find((c) => sameName(c.subject, c.issuer)) : undefined
    return ok({ chain: chain.filter((c) => c !== root).map((c) => c.der), root: root?.der, pkcs8 })
  }
  return err('IDENTITY_KEY_MISMATCH', file)
}

function isKeyOf(crypto: CryptoPort, pkcs8: Uint8Array, c: Certificate): boolean {
  const algorithm = delegationAlgorithm(c.key)
  if (algorithm === undefined) return false
  try {
    using signer = crypto.signer(algorithm, pkcs8)
    return sameBytes(signer.spki, c.spki)
  } catch {
    return false
  }
}
