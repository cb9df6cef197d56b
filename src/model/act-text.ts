/** What happened to a room's policy, as a sentence for people. */
import type { PolicyAct } from './policy.ts'

/** `name`: what a key, or an entry of an admission list, is called. */
export function actText(a: PolicyAct, by: string, name: (keyOrEntry: string) => string): string {
  switch (a.act) {
    case 'lock': return `${by} locked the room`
    case 'unlock': return `${by} UNLOCKED the room: whoever the policy admits can come in`
    case 'admit': return `${by} admitted ${name(a.entry)}`
    case 'withdraw': return `${by} took back the admission of ${name(a.entry)}`
    case 'ban': return `${by} banned ${name(a.keyId)}`
    case 'unban': return `${by} lifted the ban of ${name(a.keyId)}`
    case 'hand-over': return `the room was handed over from ${name(a.from)} to ${name(a.to)}, signed by ${by}`
    case 'gateways-allowed': return `${by} ALLOWED GATEWAYS: telephone callers who hold no keys can be let in`
    case 'edit': return `${by} changed the policy: ${a.changed.join(', ')}`
  }
}
