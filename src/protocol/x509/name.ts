/** Distinguished names (RFC 5280 §4.1.2.4). */
import { fromUtf8, toHex } from '../../base/bytes.ts'
import type { DerReader, Element } from './der.ts'
import { DerReader as Reader, TAG } from './der.ts'

export const ATTRIBUTE = {
  commonName: '2.5.4.3', surname: '2.5.4.4', organisation: '2.5.4.10', givenName: '2.5.4.42',
  email: '1.2.840.113549.1.9.1', displayName: '2.16.840.1.113730.3.1.241', uid: '0.9.2342.19200300.100.1.1',
} as const

export interface Attribute {
  readonly type: string
  /** Undefined where the value is not a character string. */
  readonly text: string | undefined
}

export interface Name {
  readonly der: Uint8Array
  /** One comparable text per RDN, most significant first. */
  readonly rdns: readonly string[]
  readonly attributes: readonly Attribute[]
}

const ATTRIBUTES_LIMIT = 64

/** Name ::= SEQUENCE OF RelativeDistinguishedName. May be empty. */
export function readName(r: DerReader): Name {
  const { whole, body } = r.element(TAG.sequence)
  const sequence = new Reader(body, r.failure)
  const rdns: string[] = []
  const attributes: Attribute[] = []
  while (sequence.more) {
    const set = sequence.enter(TAG.set)
    const values: string[] = []
    do {
      const { type, text, comparable } = readAttribute(set)
      attributes.push({ type, text })
      values.push(comparable)
    } while (set.more)
    rdns.push(JSON.stringify(values.sort()))
    if (attributes.length > ATTRIBUTES_LIMIT) r.fail('name with too many attributes')
  }
  return { der: whole, rdns, attributes }
}

function readAttribute(set: DerReader): Attribute & { readonly comparable: string } {
  const pair = set.enter(TAG.sequence)
  const type = pair.oid()
  const value = pair.any()
  pair.end()
  const text = readString(value, pair)
  // RFC 5280 §7.1, as far as ASCII: case and runs of spaces do not matter, nor does the kind of string.
  const folded = text?.replace(/[A-Z]/g, (c) => c.toLowerCase()).replace(/[ \t-\r]+/g, ' ').trim()
  return { type, text, comparable: `${type}=${folded === undefined ? `#${toHex(value.whole)}` : `"${folded}`}` }
}

/** DirectoryString and the older kinds. Undefined for other types; octets that the kind does not allow fail the reader. */
function readString({ tag, body }: Element, r: DerReader): string | undefined {
  switch (tag) {
    case TAG.utf8String: {
      const text = fromUtf8(body)
      if (text === undefined) r.fail('string is not UTF-8')
      return text ?? ''
    }
    case TAG.printableString: case TAG.ia5String: case TAG.numericString: case TAG.visibleString:
      if (body.some((octet) => octet >= 0x80)) r.fail('string is not ASCII')
      return latin1(body)
    case TAG.t61String:
      return latin1(body) // What issuers that still use it mean; T.61 itself is never what was meant.
    case TAG.bmpString:
      return readWide(body, 2, r)
    case TAG.universalString:
      return readWide(body, 4, r)
    default:
      return undefined
  }
}

export function latin1(body: Uint8Array): string {
  let text = ''
  for (const octet of body) text += String.fromCharCode(octet)
  return text
}

function readWide(body: Uint8Array, octets: 2 | 4, r: DerReader): string {
  if (body.length % octets !== 0) r.fail('string of incomplete characters')
  let text = ''
  for (let at = 0; at + octets <= body.length; at += octets) {
    let code = 0
    for (let i = 0; i < octets; i++) code = code * 256 + body[at + i]!
    if (code > 0x10ffff) {
      r.fail('string with a character beyond Unicode')
      return ''
    }
    text += String.fromCodePoint(code)
  }
  return text
}

export const sameName = (a: Name, b: Name): boolean => a.rdns.length === b.rdns.length && withinName(a, b)

/** Whether `base` is an initial part of `name` (RFC 5280 §4.2.1.10, directoryName). */
export const withinName = (name: Name, base: Name): boolean =>
  base.rdns.length <= name.rdns.length && base.rdns.every((rdn, i) => rdn === name.rdns[i])

/** The most specific value of an attribute. */
export const attributeOf = (name: Name, type: string): string | undefined => name.attributes.findLast((a) => a.type === type)?.text

export const attributesOf = (name: Name, type: string): string[] =>
  name.attributes.flatMap((a) => (a.type === type && a.text !== undefined ? [a.text] : []))
