/** Which names an authority may certify (RFC 5280 §4.2.1.10). */
import type { Certificate } from './certificate.ts'
import type { NameConstraints } from './extensions.ts'
import type { GeneralName } from './general-name.ts'
import { ATTRIBUTE, attributesOf, withinName } from './name.ts'

/** Names times subtrees; beyond, a chain is built to burn time. */
const COMPARISONS_LIMIT = 65536
const HOST_LIKE = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+\.?$/i

/** All names that the certificate gives its subject, in the forms that constraints speak of. */
function namesOf(c: Certificate): GeneralName[] {
  const alternative = c.extensions.alternativeNames ?? []
  const names: GeneralName[] = [...alternative]
  if (c.subject.rdns.length > 0) names.push({ kind: 'directory', name: c.subject })
  for (const text of attributesOf(c.subject, ATTRIBUTE.email)) names.push({ kind: 'email', text })
  // A common name that reads like a host is taken for one by people, so it counts where no real host is named.
  if (!alternative.some((n) => n.kind === 'dns')) {
    for (const text of attributesOf(c.subject, ATTRIBUTE.commonName)) if (HOST_LIKE.test(text)) names.push({ kind: 'dns', text })
  }
  return names
}

/** Undefined when all names are allowed, else the reason in a few words. */
export function refusedName(c: Certificate, constraints: NameConstraints): string | undefined {
  const names = namesOf(c)
  if (names.length * (constraints.permitted.length + constraints.excluded.length) > COMPARISONS_LIMIT) return 'too many names to compare'
  for (const name of names) {
    const permitted = constraints.permitted.filter((base) => sameKind(name, base))
    const excluded = constraints.excluded.filter((base) => sameKind(name, base))
    if (permitted.length + excluded.length === 0) continue
    if ([...permitted, ...excluded].some((base) => !comparable(name, base))) return `a constraint on ${what(name)} that cannot be judged`
    if (permitted.length > 0 && !permitted.some((base) => within(name, base))) return `${what(name)} is not permitted`
    if (excluded.some((base) => within(name, base))) return `${what(name)} is excluded`
  }
  return undefined
}

const sameKind = (a: GeneralName, b: GeneralName): boolean => a.kind === b.kind && !(a.kind === 'other' && b.kind === 'other' && a.tag !== b.tag)

function what(name: GeneralName): string {
  if (name.kind === 'directory') return 'the subject'
  return name.kind === 'email' || name.kind === 'dns' ? `${name.kind === 'dns' ? 'host' : 'mail address'} ${name.text.slice(0, 100)}` : `a name of kind ${name.kind}`
}

/** Other names are constrained in ways that we do not judge: refused when they occur. */
function comparable(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'ip' && base.kind === 'ip') return isIpRange(base.octets) && (name.octets.length === 4 || name.octets.length === 16)
  if (name.kind === 'email') return name.text.lastIndexOf('@') > 0
  if (name.kind === 'uri' && base.kind === 'uri') return hostOfUri(name.text) !== undefined && /^[a-z0-9.-]*$/i.test(base.text)
  return name.kind === 'dns' || name.kind === 'directory'
}

/** The constraint is on the host (RFC 5280 §4.2.1.10): URIs without one, or with an address, cannot be judged. */
function hostOfUri(uri: string): string | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri)?.[1]?.toLowerCase()
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : host
}

/** A leading dot: any host below; else exactly this one. An empty base is everything. */
function uriWithin(name: string, base: string): boolean {
  const [host, b] = [hostOfUri(name) ?? '', base.toLowerCase()]
  return b === '' || (b.startsWith('.') ? host.endsWith(b) && host.length > b.length : host === b)
}

function within(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') return hostWithin(name.text, base.text)
  if (name.kind === 'email' && base.kind === 'email') return mailWithin(name.text, base.text)
  if (name.kind === 'directory' && base.kind === 'directory') return withinName(name.name, base.name)
  if (name.kind === 'uri' && base.kind === 'uri') return uriWithin(name.text, base.text)
  if (name.kind === 'ip' && base.kind === 'ip') return ipWithin(name.octets, base.octets)
  return false
}

/** The host itself and what is left of a label boundary; with a leading dot only the latter. An empty base is everything. */
function hostWithin(name: string, base: string): boolean {
  const [n, b] = [name.toLowerCase(), base.toLowerCase()]
  if (b === '') return true
  return b.startsWith('.') ? n.endsWith(b) && n.length > b.length : n === b || n.endsWith(`.${b}`)
}

/** A mailbox, all mailboxes of a host, or (leading dot) those of the hosts below a domain. Local parts differ by case. */
function mailWithin(name: string, base: string): boolean {
  const at = name.lastIndexOf('@')
  const host = name.slice(at + 1).toLowerCase()
  const baseAt = base.lastIndexOf('@')
  if (base === '') return true
  if (baseAt > 0) return name.slice(0, at) === base.slice(0, baseAt) && host === base.slice(baseAt + 1).toLowerCase()
  const domain = base.slice(baseAt + 1).toLowerCase()
  return domain.startsWith('.') ? host.endsWith(domain) && host.length > domain.length : host === domain
}

/** Address and mask of equal length, the mask a run of ones and then zeros. */
function isIpRange(range: Uint8Array): boolean {
  if (range.length !== 8 && range.length !== 32) return false
  const bits = [...range.subarray(range.length / 2)].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits)
}

function ipWithin(address: Uint8Array, range: Uint8Array): boolean {
  const half = range.length / 2
  return address.length === half && address.every((octet, i) => (octet & range[half + i]!) === (range[i]! & range[half + i]!))
}
