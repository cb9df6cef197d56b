/** Certificate, key and authorities as a user has them, sorted out of any files in any order. */
import { err, ok, type Result } from '../base/result.ts'
import { sameBytes } from '../base/bytes.ts'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { decodePem, encodePem } from '../protocol/x509/pem.ts'
import { type Certificate, parseCertificate } from '../protocol/x509/certificate.ts'
import { privateKeyOf } from '../store/private-key.ts'

export interface SortedIdentity {
  /** Own certificate first, intermediates after. */
  readonly chain: string
  /** As it was given: what was encrypted stays encrypted. */
  readonly key: string
  readonly anchors: string
}

const GIVEN = 'the files given'

/** `passphrase` is only looked at where the key is encrypted. */
export function sortIdentity(files: readonly Uint8Array[], passphrase: string): Result<SortedIdentity> {
  const text = files.map(asPem).join('\n')
  const certificates: Certificate[] = []
  for (const block of decodePem(text).filter((b) => b.label === 'CERTIFICATE')) {
    if (block.bytes === undefined) return err('IDENTITY_FILE_DAMAGED', GIVEN)
    const parsed = parseCertificate(block.bytes)
    if (!parsed.ok) return parsed
    certificates.push(parsed.value)
  }
  if (certificates.length === 0) return err('IDENTITY_FILE_NO_CERTIFICATE', GIVEN)
  const key = privateKeyOf(text, GIVEN, passphrase === '' ? {} : { passphrase })
  if (!key.ok) return key
  const spki = createPublicKey(createPrivateKey({ key: Buffer.from(key.value), format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' })
  key.value.fill(0)
  const own = certificates.find((c) => sameBytes(c.spki, spki))
  if (own === undefined) return err('IDENTITY_KEY_MISMATCH', GIVEN)
  const others = certificates.filter((c) => !sameBytes(c.spki, spki))
  const anchors = others.filter((c) => sameBytes(c.subject.der, c.issuer.der))
  if (anchors.length === 0) return err('SETUP_NO_ANCHOR')
  const between = others.filter((c) => !anchors.includes(c))
  const pem = (list: readonly Certificate[]): string => list.map((c) => encodePem('CERTIFICATE', c.der)).join('')
  const block = decodePem(text).find((b) => b.label.endsWith('PRIVATE KEY'))!
  return ok({ chain: pem([own, ...between]), key: `${block.text}\n`, anchors: pem(anchors) })
}

/** DER certificates are taken too; they start with a SEQUENCE, text does not. */
const asPem = (file: Uint8Array): string => (file[0] === 0x30 ? encodePem('CERTIFICATE', file) : new TextDecoder('latin1').decode(file))
