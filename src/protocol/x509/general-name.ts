/** GeneralName (RFC 5280 §4.2.1.6), in alternative names and in name constraints. */
import { fromUtf8 } from '../../base/bytes.ts'
import type { DerReader } from './der.ts'
import { context, DerReader as Reader, TAG } from './der.ts'
import type { Name } from './name.ts'
import { latin1, readName } from './name.ts'

export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'directory'; readonly name: Name }
  /** 4 or 16 octets; in constraints address and mask. */
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  /** otherName, x400Address, ediPartyName, registeredID: their tag number. `upn`: Windows' user principal name. */
  | { readonly kind: 'other'; readonly tag: number; readonly upn?: string }

export function readGeneralName(r: DerReader): GeneralName {
  for (const [number, kind] of [[1, 'email'], [2, 'dns'], [6, 'uri']] as const) {
    if (!r.next(context(number))) continue
    const { body } = r.any()
    // IA5String; control characters in a name only serve to deceive.
    if (body.some((octet) => octet < 0x20 || octet > 0x7e)) r.fail(`${kind} name with characters that do not belong there`)
    return { kind, text: latin1(body) }
  }
  if (r.next(context(7))) return { kind: 'ip', octets: r.any().body }
  const directory = r.enterIf(context(4, true))
  if (directory !== undefined) {
    const name = readName(directory)
    directory.end()
    return { kind: 'directory', name }
  }
  const { tag, body } = r.any()
  if (tag === context(0, true)) {
    const upn = readUpn(body)
    return { kind: 'other', tag: 0, ...(upn === undefined ? {} : { upn }) }
  }
  if (![context(3, true), context(5, true), context(8)].includes(tag)) r.fail('unknown kind of name')
  return { kind: 'other', tag: tag & 0x1f }
}

const UPN = '1.3.6.1.4.1.311.20.2.3'

/** OtherName ::= SEQUENCE { type-id, [0] value }: the one kind that Windows authorities put people's names in. */
function readUpn(body: Uint8Array): string | undefined {
  const fields = new Reader(body)
  if (fields.oid() !== UPN) return undefined
  const value = fields.enter(context(0, true))
  const text = fromUtf8(value.element(TAG.utf8String).body)
  value.end()
  fields.end()
  return fields.failed ? undefined : text
}

/** GeneralNames ::= SEQUENCE SIZE (1..MAX). */
export function readGeneralNames(r: DerReader): GeneralName[] {
  const sequence = r.enter(TAG.sequence)
  const names: GeneralName[] = []
  do names.push(readGeneralName(sequence))
  while (sequence.more)
  return names
}

/** Dotted, or RFC 5952 (longest run of zeros compressed). Empty for other lengths. */
export function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  if (octets.length !== 16) return ''
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i]! << 8) | octets[2 * i + 1]!).toString(16)).join(':')
  const runs = [...groups.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((m) => m[0])
  const longest = runs.reduce((best, run) => (run.replace(/^:/, '').length > best.replace(/^:/, '').length ? run : best), '')
  return longest === '' ? groups : groups.replace(longest, '::').replace(':::', '::')
}
