/** The part of a certificate that people see. */
import { toHex } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { Identity } from '../../model/identity.ts'
import { safeText } from '../../model/identity.ts'
import type { ShownName } from '../../model/trust.ts'
import type { Certificate } from './certificate.ts'
import { nameText } from './certificate.ts'
import { formatIp } from './general-name.ts'
import { ATTRIBUTE, attributeOf, attributesOf } from './name.ts'
import { shownNameOf } from './shown-name.ts'

const EMAILS_KEPT = 16
const HOSTS_KEPT = 64
const MAIL_LIMIT = 254

/** Of a verified certificate. Mail addresses in the subject count after those of the alternative name. */
export function identityOf(crypto: CryptoPort, c: Certificate, fields?: ShownName): Identity {
  const alternative = c.extensions.alternativeNames ?? []
  const emails = [...alternative.flatMap((n) => (n.kind === 'email' ? [n.text] : [])), ...attributesOf(c.subject, ATTRIBUTE.email)]
  const hosts = alternative.flatMap((n) => (n.kind === 'dns' ? [n.text.toLowerCase()] : n.kind === 'ip' ? [formatIp(n.octets)] : []))
  const organisation = attributeOf(c.subject, ATTRIBUTE.organisation)
  const shown = fields === undefined ? undefined : shownNameOf(c, fields)
  return {
    ...(shown === undefined ? {} : { shownName: safeText(shown) }),
    subject: safeText(attributeOf(c.subject, ATTRIBUTE.commonName) ?? ''),
    ...(organisation === undefined ? {} : { organisation: safeText(organisation) }),
    emails: [...new Set(emails.map((e) => safeText(e, MAIL_LIMIT)))].slice(0, EMAILS_KEPT),
    hosts: [...new Set(hosts.map((h) => safeText(h, MAIL_LIMIT)))].slice(0, HOSTS_KEPT),
    issuer: nameText(c.issuer),
    serial: c.serial.replace(/^(?:00)+(?=.)/, ''),
    notBefore: c.notBefore,
    notAfter: c.notAfter,
    keyId: toHex(crypto.hash('sha256', c.spki)),
    fingerprint: toHex(crypto.hash('sha256', c.der)),
  }
}
