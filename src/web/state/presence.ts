/** How the lines of a roster are told apart. Pure. */
import { displayName } from '../../model/identity.ts'
import type { Member, Roster } from '../../model/roster.ts'

/**
 * Whose line it is, for as long as the call goes on. In a group a key is there once, and whoever comes back at another leaf is still the
 * same; in a conference of the PBX somebody may be there with several phones under one key, and each has a line of its own.
 */
export const presenceOf = (kind: Roster['kind'], m: Pick<Member, 'leaf' | 'identity'>): string => (kind === 'bridged' ? `${m.identity.keyId} ${m.leaf}` : m.identity.keyId)

/** `i/n` by presence, for those who share a name with another line. */
export function namesakes({ kind, members }: Pick<Roster, 'kind' | 'members'>): Map<string, string> {
  const by = new Map<string, string[]>()
  for (const m of members) {
    const name = displayName(m.identity).toLocaleLowerCase()
    by.set(name, [...(by.get(name) ?? []), presenceOf(kind, m)])
  }
  return new Map([...by.values()].filter((ids) => ids.length > 1).flatMap((ids) => ids.toSorted().map((id, i): [string, string] => [id, `${i + 1}/${ids.length}`])))
}
