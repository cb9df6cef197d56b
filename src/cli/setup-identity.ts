/** Certificate, key and authorities as a user has them, sorted out of any files in any order, and checked against each other. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Der, UnixTime } from '../base/brand.ts'
import { sameBytes } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { checkKey } from '../protocol/x509/algorithm.ts'
import { type Certificate, parseCertificate } from '../protocol/x509/certificate.ts'
import { makeAnchors, verifyChain } from '../protocol/x509/path.ts'
import { decodePem, encodePem, pemText } from '../protocol/x509/pem.ts'
import { certificatesIn } from '../store/import-identity.ts'
import { cleanKey, isPkcs12, readPkcs12 } from '../store/pkcs12/read.ts'
import { privateKeyOf } from '../store/private-key.ts'

export interface SortedIdentity {
  /** Own certificate first, intermediates after. */
  readonly chain: readonly Der[]
  /** To be wiped by whoever gets it. */
  readonly pkcs8: Uint8Array
  /** What the key was locked with; where it goes it is locked at least as well. */
  readonly passphrase: string | undefined
  readonly anchors: readonly Der[]
}

const GIVEN = 'the files given'

interface Pieces {
  readonly certificates: Der[]
  readonly keys: { readonly pkcs8: Uint8Array; readonly locked: boolean }[]
}

/** `passphrase` is only looked at where something is encrypted. */
export function sortIdentity(files: readonly Uint8Array[], passphrase: string, now: UnixTime): Result<SortedIdentity> {
  const found: Pieces = { certificates: [], keys: [] }
  try {
    for (const file of files) {
      const taken = takeApart(file, passphrase, found)
      if (!taken.ok) return taken
    }
    const sorted = putTogether(found, passphrase)
    if (!sorted.ok) return sorted
    const fit = check(sorted.value, now)
    return fit.ok ? ok({ ...sorted.value, pkcs8: sorted.value.pkcs8.slice() }) : fit
  } finally {
    for (const k of found.keys) k.pkcs8.fill(0)
  }
}

function takeApart(file: Uint8Array, passphrase: string, found: Pieces): Result<void> {
  if (isPkcs12(file)) return takePkcs12(file, passphrase, found)
  const certificates = certificatesIn(file) ?? []
  found.certificates.push(...certificates)
  const text = keyText(file, certificates.length > 0)
  const key = privateKeyOf(text, GIVEN, passphrase === '' ? {} : { passphrase })
  if (key.ok) found.keys.push({ pkcs8: key.value, locked: /ENCRYPTED/.test(text) })
  else if (key.fault.code !== 'IDENTITY_FILE_NO_KEY') return key
  if (decodePem(text).some((b) => b.label.endsWith('CERTIFICATE') && b.bytes === undefined)) return err('IDENTITY_FILE_DAMAGED', GIVEN)
  return ok(undefined)
}

/** A file without a password is sealed with an empty one. */
function takePkcs12(file: Uint8Array, passphrase: string, found: Pieces): Result<void> {
  const read = readPkcs12(file, passphrase)
  if (!read.ok) return read.fault.code === 'IDENTITY_PASSPHRASE_WRONG' && passphrase === '' ? err('IDENTITY_PASSPHRASE_NEEDED', GIVEN) : read
  const keys = read.value.keys.flatMap((k) => cleanKey(k) ?? [])
  if (keys.length === 0 && read.value.certificates.length === 0) return err('IDENTITY_PKCS12_CONTENT', GIVEN)
  found.certificates.push(...read.value.certificates)
  found.keys.push(...keys.map((pkcs8) => ({ pkcs8, locked: passphrase !== '' })))
  return ok(undefined)
}

/** As PEM: a key in DER is PKCS#8, encrypted PKCS#8, SEC1 or PKCS#1; by what stands first in it. */
function keyText(file: Uint8Array, isCertificate: boolean): string {
  if (file[0] !== 0x30 || isCertificate) return pemText(file)
  const forms = [['PRIVATE KEY', 'pkcs8'], ['EC PRIVATE KEY', 'sec1'], ['RSA PRIVATE KEY', 'pkcs1']] as const
  for (const [label, type] of forms) {
    try {
      createPrivateKey({ key: Buffer.from(file), format: 'der', type })
      return encodePem(label, file)
    } catch {
      // Another form, or encrypted.
    }
  }
  return encodePem('ENCRYPTED PRIVATE KEY', file)
}

function putTogether({ certificates, keys }: Pieces, passphrase: string): Result<SortedIdentity> {
  if (certificates.length === 0) return err('IDENTITY_FILE_NO_CERTIFICATE', GIVEN)
  if (keys.length === 0) return err('IDENTITY_FILE_NO_KEY', GIVEN)
  const all: Certificate[] = []
  for (const der of certificates) {
    const parsed = parseCertificate(der)
    if (!parsed.ok) return parsed
    if (!all.some((c) => sameBytes(c.der, der))) all.push(parsed.value)
  }
  for (const { pkcs8, locked } of keys) {
    const spki = createPublicKey(createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' })
    // The newest, where the old one of the same key came along.
    const [own] = all.filter((c) => sameBytes(c.spki, spki)).sort((a, b) => b.notAfter - a.notAfter)
    if (own === undefined) continue
    const others = all.filter((c) => !sameBytes(c.spki, spki))
    const anchors = others.filter((c) => sameBytes(c.subject.der, c.issuer.der))
    if (anchors.length === 0) return err('SETUP_NO_ANCHOR')
    const between = others.filter((c) => !anchors.includes(c))
    return ok({ chain: [own, ...between].map((c) => c.der), pkcs8, passphrase: locked ? passphrase : undefined, anchors: anchors.map((c) => c.der) })
  }
  return err('IDENTITY_KEY_MISMATCH', GIVEN)
}

/** What the server and everybody else would refuse is said before anything is written. */
function check({ chain, anchors }: SortedIdentity, now: UnixTime): Result<unknown> {
  const own = parseCertificate(chain[0]!)
  if (!own.ok) return own
  const fit = checkKey(own.value.key, GIVEN)
  if (!fit.ok) return fit
  const trusted = makeAnchors(anchors)
  return trusted.ok ? verifyChain(createNodeCrypto(), chain, trusted.value, [], now, 'member', 'given') : trusted
}
