/** name-addr and addr-spec (RFC 3261 §20.10, §25.1): From, To, Contact, Route, Record-Route. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { limits } from './limits.ts'
import type { Param } from './scanner.ts'
import { paramOf, Scanner, showParams } from './scanner.ts'
import type { Uri } from './uri.ts'
import { parseUri } from './uri.ts'

/** `text` is what stands on the wire; the rest is read from it. */
export interface Address {
  readonly text: string
  /** As on the wire, with quotes where it has them. */
  readonly display?: string
  readonly uri: Uri
  readonly params: readonly Param[]
}

const displayWords = /[A-Za-z0-9\-.!%*_+`'~][A-Za-z0-9\-.!%*_+`'~ \t]*/y
const bracketed = /<[^<>\s]*>/y
/** An addr-spec without brackets ends at a comma, semicolon or question mark: what follows is not of the URI (§20). */
const bare = /[^\s,;?<>"]+/y

export function readAddress(scan: Scanner): Result<Address> {
  const from = scan.at
  const display = scan.quoted() ?? withLookahead(scan)
  scan.space()
  const inBrackets = scan.match(bracketed)
  if (inBrackets === undefined && display !== undefined) return err('SIP_BAD_HEADER', 'no <URI> after a display name')
  const text = inBrackets === undefined ? scan.match(bare) : inBrackets.slice(1, -1)
  if (text === undefined || scan.text[scan.at] === '?') return err('SIP_BAD_HEADER', 'no URI where an address must be')
  const uri = parseUri(text)
  if (!uri.ok) return uri
  const params = scan.params()
  if (params === undefined) return err('SIP_BAD_HEADER', 'parameter of an address')
  return ok({ text: scan.text.slice(from, scan.at), ...(display === undefined ? {} : { display }), uri: uri.value, params })
}

/** Display words are such only when `<` follows: `sip` in `sip:a@b` is a token too. */
function withLookahead(scan: Scanner): string | undefined {
  const from = scan.at
  const words = scan.match(displayWords)
  if (words !== undefined && scan.text[scan.at] === '<') return words.trimEnd()
  scan.at = from
  return undefined
}

/** One address and nothing else. */
export function parseAddress(text: string): Result<Address> {
  const scan = new Scanner(text)
  const address = readAddress(scan)
  if (!address.ok) return address
  return scan.ended() ? address : err('SIP_BAD_HEADER', 'characters after an address')
}

/** `1#item`: one or more, with commas between, of what `read` reads. */
export function parseList<T>(text: string, read: (scan: Scanner) => Result<T>): Result<readonly T[]> {
  const scan = new Scanner(text)
  const items: T[] = []
  do {
    if (items.length >= limits.values) return err('SIP_TOO_MANY_HEADERS', 'values in one field')
    const item = read(scan)
    if (!item.ok) return item
    items.push(item.value)
  } while (scan.separator(','))
  return scan.ended() ? ok(items) : err('SIP_BAD_HEADER', 'characters between two values')
}

/** Builds an address of our own, always with brackets. */
export function makeAddress(uri: Uri, params: readonly Param[] = [], display?: string): Address {
  const text = `${display === undefined ? '' : `${display} `}<${uri.text}>${showParams(params)}`
  return { text, uri, params, ...(display === undefined ? {} : { display }) }
}

/** The same address with another `tag` (RFC 3261 §19.3). */
export function withTag(address: Address, tag: string): Address {
  const params = [...address.params.filter((p) => p.name.toLowerCase() !== 'tag'), { name: 'tag', value: tag }]
  return makeAddress(address.uri, params, address.display)
}

/** '' where there is none: tags of RFC 2543 elements (§12.1.1). */
export const tagOf = (address: Address): string => paramOf(address.params, 'tag') ?? ''
