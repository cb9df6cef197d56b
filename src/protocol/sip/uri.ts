/** SIP and SIPS URIs (RFC 3261 §19.1), other schemes as opaque text. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { limits } from './limits.ts'
import type { Param } from './scanner.ts'
import { Scanner } from './scanner.ts'

/** `text` is what stands on the wire; the rest is read from it, escapes untouched. */
export interface SipUri {
  readonly kind: 'sip'
  readonly text: string
  readonly scheme: 'sip' | 'sips'
  readonly user?: string
  readonly password?: string
  /** IPv6 in brackets. */
  readonly host: string
  readonly port?: number
  readonly params: readonly Param[]
  readonly headers: readonly Param[]
}

export interface OtherUri {
  readonly kind: 'other'
  readonly text: string
  readonly scheme: string
}

export type Uri = SipUri | OtherUri

const userRule = /(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+/y
const passwordRule = /(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*/y
const paramRule = /(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+/y
const headerNameRule = /(?:[A-Za-z0-9\-_.!~*'()[\]/?:+$]|%[0-9A-Fa-f]{2})+/y
const headerValueRule = /(?:[A-Za-z0-9\-_.!~*'()[\]/?:+$]|%[0-9A-Fa-f]{2})*/y
const absoluteRule = /^(?:[A-Za-z0-9\-_.!~*'();/?:@&=+$,[\]#]|%[0-9A-Fa-f]{2})+$/

export function parseUri(text: string): Result<Uri> {
  if (text.length > limits.uri) return err('SIP_URI_TOO_LONG', `${text.length} characters`)
  const colon = text.indexOf(':')
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase()
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) return err('SIP_BAD_URI', 'no scheme')
  if (scheme === 'sip' || scheme === 'sips') return parseSip(text, scheme, colon + 1)
  return absoluteRule.test(text.slice(colon + 1)) ? ok({ kind: 'other', text, scheme }) : err('SIP_BAD_URI', `in a ${scheme} URI`)
}

function parseSip(text: string, scheme: 'sip' | 'sips', from: number): Result<Uri> {
  const scan = new Scanner(text, from)
  const userinfo = readUserinfo(scan)
  if (userinfo === undefined) return err('SIP_BAD_URI', 'user part')
  const host = scan.host()
  if (host === undefined) return err('SIP_BAD_URI', 'host')
  let port: number | undefined
  if (scan.match(/:/y) !== undefined) {
    port = scan.port()
    if (port === undefined) return err('SIP_BAD_URI', 'port')
  }
  const params = readPairs(scan, /;/y, /;/y, paramRule, paramRule)
  if (params === undefined) return err('SIP_BAD_URI', 'parameter')
  const headers = readPairs(scan, /\?/y, /&/y, headerNameRule, headerValueRule)
  if (headers === undefined || headers.some((h) => h.value === undefined)) return err('SIP_BAD_URI', 'header part')
  if (!scan.done) return err('SIP_BAD_URI', 'characters after its end')
  return ok({ kind: 'sip', text, scheme, ...userinfo, host, ...(port === undefined ? {} : { port }), params, headers })
}

/** There is an `@` only after a userinfo: everywhere else it must be escaped (§25.1). */
function readUserinfo(scan: Scanner): { user?: string; password?: string } | undefined {
  if (!scan.text.includes('@', scan.at)) return {}
  const user = scan.match(userRule)
  if (user === undefined) return undefined
  const password = scan.match(/:/y) === undefined ? undefined : (scan.match(passwordRule) ?? '')
  if (scan.match(/@/y) === undefined) return undefined
  return password === undefined ? { user } : { user, password }
}

function readPairs(scan: Scanner, first: RegExp, next: RegExp, nameRule: RegExp, valueRule: RegExp): Param[] | undefined {
  const pairs: Param[] = []
  for (let separator = first; scan.match(separator) !== undefined; separator = next) {
    const name = scan.match(nameRule)
    if (name === undefined || pairs.length >= limits.parameters) return undefined
    if (scan.match(/=/y) === undefined) pairs.push({ name })
    else {
      const value = scan.match(valueRule)
      if (value === undefined) return undefined
      pairs.push({ name, value })
    }
  }
  return first.source === ';' && contradicts(pairs) ? undefined : pairs
}

/** A name twice is wrong (§19.1.1), but some phones repeat `;transport=tcp`: only what is ambiguous is refused. */
function contradicts(pairs: readonly Param[]): boolean {
  const values = new Map<string, string | undefined>()
  return pairs.some(({ name, value }) => {
    const lower = name.toLowerCase()
    if (values.has(lower) && values.get(lower) !== value) return true
    values.set(lower, value)
    return false
  })
}

/** Undoes `%HH`; undefined where the octets are not UTF-8. */
export function unescapeUri(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A user part with everything escaped that needs it. */
export const escapeUser = (text: string): string => encodeURIComponent(text).replace(/%(?:26|3D|2B|24|2C|3B|3F|2F)/g, (e) => decodeURIComponent(e))

/** Builds a URI of our own; the parts must be valid already. */
export function sipUri(parts: Omit<SipUri, 'kind' | 'text' | 'params' | 'headers'> & { readonly params?: readonly Param[] }): SipUri {
  const user = parts.user === undefined ? '' : `${parts.user}${parts.password === undefined ? '' : `:${parts.password}`}@`
  const port = parts.port === undefined ? '' : `:${parts.port}`
  const params = parts.params ?? []
  const tail = params.map((p) => (p.value === undefined ? `;${p.name}` : `;${p.name}=${p.value}`)).join('')
  return { ...parts, kind: 'sip', params, headers: [], text: `${parts.scheme}:${user}${parts.host}${port}${tail}` }
}

/** Whether two URIs name the same resource (RFC 3261 §19.1.4). */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.kind !== 'sip' || b.kind !== 'sip') return a.text === b.text
  if (a.scheme !== b.scheme || normal(a.user) !== normal(b.user) || normal(a.password) !== normal(b.password)) return false
  if (a.host.toLowerCase() !== b.host.toLowerCase() || a.port !== b.port) return false
  return sameParams(a.params, b.params) && sameHeaders(a.headers, b.headers)
}

/** An escape and the character it stands for are the same; no part differs from an empty one. */
const normal = (text: string | undefined): string => (text === undefined ? '\0' : (unescapeUri(text) ?? text))

/** These must be on both sides or on none; others are compared only when both have them. */
const significant = new Set(['user', 'ttl', 'method', 'maddr', 'transport'])

function sameParams(a: readonly Param[], b: readonly Param[]): boolean {
  const other = new Map(b.map((p) => [p.name.toLowerCase(), p.value?.toLowerCase()]))
  const mine = new Map(a.map((p) => [p.name.toLowerCase(), p.value?.toLowerCase()]))
  for (const [name, value] of mine) if (other.has(name) ? other.get(name) !== value : significant.has(name)) return false
  return [...other.keys()].every((name) => mine.has(name) || !significant.has(name))
}

function sameHeaders(a: readonly Param[], b: readonly Param[]): boolean {
  const flat = (list: readonly Param[]): string => list.map((h) => `${h.name.toLowerCase()}=${normal(h.value)}`).sort().join('&')
  return flat(a) === flat(b)
}
