/** One entry of a list of people: a key, `o:Organisation`, `domain:example.org` or `cn:Name`. */
import type { Identity } from './identity.ts'

export function matchesEntry(entry: string, identity: Identity): boolean {
  if (entry.startsWith('o:')) return identity.organisation === entry.slice(2)
  // A certificate may have no common name: that is nobody's name.
  if (entry.startsWith('cn:')) return identity.subject !== '' && identity.subject === entry.slice(3)
  if (entry.startsWith('domain:')) {
    const domain = entry.slice(7).toLowerCase()
    const domains = [...identity.emails.map((e) => e.slice(e.lastIndexOf('@') + 1).toLowerCase()), ...identity.hosts]
    return domain !== '' && domains.some((d) => d === domain || d.endsWith(`.${domain}`))
  }
  return entry === identity.keyId
}
