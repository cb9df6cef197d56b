/** PKCS#12 files, the form in which browsers, Windows and most authorities hand out a key with its certificates (RFC 7292). */
import { createPrivateKey } from 'node:crypto'
import type { Der } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import { equalConstantTime } from '../../base/secret.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { readAlgorithm } from '../../protocol/x509/algorithm.ts'
import { context, DerReader, TAG } from '../../protocol/x509/der.ts'
import { toDer } from './ber.ts'
import { decryptByPassword, macOf } from './decrypt.ts'

const FILE_LIMIT = 1024 * 1024
const BAGS_LIMIT = 64
const OID = {
  data: '1.2.840.113549.1.7.1', encrypted: '1.2.840.113549.1.7.6', key: '1.2.840.113549.1.12.10.1.1', shrouded: '1.2.840.113549.1.12.10.1.2', certificate: '1.2.840.113549.1.12.10.1.3',
  safe: '1.2.840.113549.1.12.10.1.6', x509: '1.2.840.113549.1.9.22.1', signed: '1.2.840.113549.1.7.2',
} as const

export interface Pkcs12 {
  /** PKCS#8, DER. */
  readonly keys: readonly Uint8Array[]
  readonly certificates: readonly Der[]
}

const malformed = (why: string) => err('IDENTITY_PKCS12_MALFORMED', why)

/** Whether it begins like one: SEQUENCE { INTEGER 3, SEQUENCE … }, whatever the form of the lengths. */
export function isPkcs12(bytes: Uint8Array): boolean {
  const der = toDer(bytes)
  const fields = der === undefined ? undefined : new DerReader(der).enter(TAG.sequence)
  return fields?.small() === 3 && fields.next(TAG.sequence) && !fields.failed
}

/** Everything in the file. Sealed by public key instead of a password: not taken. */
export function readPkcs12(bytes: Uint8Array, password: string): Result<Pkcs12> {
  if (bytes.length > FILE_LIMIT) return malformed(`${bytes.length} octets`)
  const der = toDer(bytes)
  if (der === undefined) return malformed('it is cut or damaged')
  const pfx = new DerReader(der).enter(TAG.sequence)
  if (pfx.small() !== 3) return malformed('not version 3')
  const auth = pfx.enter(TAG.sequence)
  if (auth.oid() !== OID.data) return err('IDENTITY_PKCS12_UNSUPPORTED', 'sealed by a public key')
  const content = auth.enter(context(0, true)).octetString()
  if (pfx.failed) return malformed(pfx.failure.reason ?? '')
  const sealed = checkMac(pfx, content, password)
  if (!sealed.ok) return sealed
  const inner = toDer(content)
  if (inner === undefined) return malformed('its content')
  const found = { keys: [] as Uint8Array[], certificates: [] as Der[] }
  const list = new DerReader(inner).enter(TAG.sequence)
  while (list.more) {
    const part = readContentInfo(list.enter(TAG.sequence), password)
    if (!part.ok) return part
    const bags = readBags(part.value, password, found, 0)
    if (!bags.ok) return bags
  }
  return list.failed ? malformed(list.failure.reason ?? '') : ok(found)
}

/** MacData ::= SEQUENCE { DigestInfo, macSalt, iterations DEFAULT 1 }. */
function checkMac(pfx: DerReader, content: Uint8Array, password: string): Result<void> {
  if (!pfx.more) return ok(undefined)
  const data = pfx.enter(TAG.sequence)
  const info = data.enter(TAG.sequence)
  const digest = readAlgorithm(info)
  const expected = info.octetString()
  const salt = data.octetString()
  const iterations = data.more ? data.small() : 1
  if (pfx.failed) return malformed('its seal')
  const made = macOf({ digest, salt, iterations }, password, content)
  if (!made.ok) return made
  return equalConstantTime(made.value, expected) ? ok(undefined) : err('IDENTITY_PASSPHRASE_WRONG', 'the PKCS#12 file')
}

/** ContentInfo: data as it is, or encrypted under the password. Gives SafeContents. */
function readContentInfo(info: DerReader, password: string): Result<Uint8Array> {
  const type = info.oid()
  const content = info.enter(context(0, true))
  if (type === OID.data) return ok(content.octetString())
  if (type !== OID.encrypted) return err('IDENTITY_PKCS12_UNSUPPORTED', `content ${type}`)
  const encrypted = content.enter(TAG.sequence)
  encrypted.small()
  const body = encrypted.enter(TAG.sequence)
  body.oid()
  const algorithm = readAlgorithm(body)
  const data = body.octetString(context(0))
  return body.failed ? malformed(body.failure.reason ?? '') : decryptByPassword(algorithm, data, password)
}

function readBags(contents: Uint8Array, password: string, found: { keys: Uint8Array[]; certificates: Der[] }, depth: number): Result<void> {
  const der = toDer(contents)
  if (der === undefined || depth > 4) return malformed('a bag')
  const list = new DerReader(der).enter(TAG.sequence)
  for (let n = 0; list.more; n++) {
    if (n === BAGS_LIMIT) return malformed('too many bags')
    const bag = list.enter(TAG.sequence)
    const type = bag.oid()
    const value = bag.enter(context(0, true))
    if (type === OID.key) found.keys.push(value.any().whole)
    else if (type === OID.shrouded) {
      const fields = value.enter(TAG.sequence)
      const key = decryptByPassword(readAlgorithm(fields), fields.octetString(), password)
      if (!key.ok) return key
      found.keys.push(key.value)
    } else if (type === OID.certificate) {
      const fields = value.enter(TAG.sequence)
      if (fields.oid() === OID.x509) found.certificates.push(fields.enter(context(0, true)).octetString() as Der)
    } else if (type === OID.safe) {
      const nested = readBags(value.any().whole, password, found, depth + 1)
      if (!nested.ok) return nested
    }
  }
  return list.failed ? malformed(list.failure.reason ?? '') : ok(undefined)
}

/** The certificates of a PKCS#7 file (.p7b): SignedData without a signature (RFC 5652 §5.1). Undefined for anything else. */
export function readPkcs7(bytes: Uint8Array): Der[] | undefined {
  const der = bytes.length > FILE_LIMIT ? undefined : toDer(bytes)
  if (der === undefined) return undefined
  const info = new DerReader(der).enter(TAG.sequence)
  if (info.oid() !== OID.signed) return undefined
  const signed = info.enter(context(0, true)).enter(TAG.sequence)
  signed.small()
  signed.enter(TAG.set)
  signed.enter(TAG.sequence)
  const list = signed.enterIf(context(0, true))
  const certificates: Der[] = []
  while (list?.more === true && certificates.length < BAGS_LIMIT) certificates.push(list.any().whole as Der)
  return info.failed ? undefined : certificates
}

/** PKCS#8 of whatever form, made clean by OpenSSL; undefined for a damaged key. */
export function cleanKey(der: Uint8Array): Uint8Array | undefined {
  try {
    const key = Uint8Array.from(createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).export({ format: 'der', type: 'pkcs8' }))
    return sameBytes(key, der) ? der : key
  } catch {
    return undefined
  }
}
