/** Which field of a certificate people see as the name: the authorities of an organisation put it in different places. */
import type { ShownField, ShownName } from '../../model/trust.ts'
import type { Certificate } from './certificate.ts'
import { ATTRIBUTE, attributeOf } from './name.ts'

const READ: Readonly<Record<ShownField, (c: Certificate) => string | undefined>> = {
  commonName: (c) => attributeOf(c.subject, ATTRIBUTE.commonName),
  displayName: (c) => attributeOf(c.subject, ATTRIBUTE.displayName),
  givenNameSurname: (c) => {
    const [given, family] = [attributeOf(c.subject, ATTRIBUTE.givenName), attributeOf(c.subject, ATTRIBUTE.surname)]
    return given === undefined || family === undefined ? undefined : `${given} ${family}`
  },
  email: (c) => textOf(c, 'email') ?? attributeOf(c.subject, ATTRIBUTE.email),
  upn: (c) => c.extensions.alternativeNames?.flatMap((n) => (n.kind === 'other' && n.upn !== undefined ? [n.upn] : [])).find((upn) => upn !== ''),
  uid: (c) => attributeOf(c.subject, ATTRIBUTE.uid),
  organisation: (c) => attributeOf(c.subject, ATTRIBUTE.organisation),
  host: (c) => textOf(c, 'dns'),
}

const textOf = (c: Certificate, kind: 'email' | 'dns'): string | undefined => c.extensions.alternativeNames?.flatMap((n) => (n.kind === kind ? [n.text] : []))[0]

/** The first of these fields that the certificate has; unclean text, as it stands there. */
export function shownNameOf(c: Certificate, fields: ShownName): string | undefined {
  for (const field of fields) {
    const text = READ[field](c)?.trim()
    if (text !== undefined && text !== '') return text
  }
  return undefined
}
