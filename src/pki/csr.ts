/** Making requests for certificates (RFC 2986), also as Microsoft's authorities like them. */
import type { Der } from '../base/brand.ts'
import { concat } from '../base/bytes.ts'
import type { Signer } from '../crypto/port.ts'
import { EKU, KEY_USAGE } from '../protocol/x509/extensions.ts'
import { alternativeNames, dnsName, emailName, extendedKeyUsage, extension, ipName, keyUsage, signatureAlgorithm, subjectName } from './certificate.ts'
import { bitString, bmpString, integer, oid, sequence, set, tagged } from './der.ts'
import { ipOctets, unusable } from './request.ts'

export interface CsrFields {
  readonly name: string
  readonly organisation?: string
  readonly emails?: readonly string[]
  /** For a server. */
  readonly hosts?: readonly string[]
  /** Name of a template of AD CS, when the authority is to be told in the request (certreq -attrib does it otherwise). */
  readonly template?: string
}

/** Throws for names that cannot stand in a certificate: check them with `unusable` when a person typed them. */
export function makeCsr(signer: Signer, fields: CsrFields): Der {
  const problem = unusable(fields)
  if (problem !== undefined) throw new RangeError(problem)
  const { emails = [], hosts = [], template } = fields
  const names = [...emails.map(emailName), ...hosts.map((h) => { const ip = ipOctets(h); return ip === undefined ? dnsName(h.toLowerCase()) : ipName(ip) })]
  const wanted = [
    keyUsage(KEY_USAGE.digitalSignature), extendedKeyUsage(hosts.length > 0 ? EKU.serverAuth : EKU.clientAuth),
    ...(names.length === 0 ? [] : [alternativeNames(...names)]),
    ...(template === undefined ? [] : [extension('1.3.6.1.4.1.311.20.2', bmpString(template))]),
  ]
  const info = sequence(integer(0), subjectName(fields), signer.spki, tagged(0, sequence(oid('1.2.840.113549.1.9.14'), set(sequence(...wanted)))))
  return sequence(info, signatureAlgorithm(signer.algorithm), bitString(signer.sign(info)))
}

/** What is asked for by name alone: the authority of an invitation decides the rest. */
export const bareCsr = (signer: Signer, name: string): Der => {
  const info = sequence(integer(0), subjectName({ name }), signer.spki, concat(Uint8Array.of(0xa0, 0)))
  return sequence(info, signatureAlgorithm(signer.algorithm), bitString(signer.sign(info)))
}
