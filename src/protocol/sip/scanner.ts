/** Reads the text of a header field by the basic rules of RFC 3261 §25.1. Folding is already undone. */
import { limits } from './limits.ts'

export interface Param {
  readonly name: string
  /** As on the wire, a quoted string with its quotes. */
  readonly value?: string
}

const tokenRule = /[A-Za-z0-9\-.!%*_+`'~]+/y
const quotedRule = /"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\u0080-\u{10ffff}]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*"/uy
const hostRule = /\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9.])?/y
/** gen-value = token / host / quoted-string; a bare IPv6 address too, as `received` has it (§18.2.1). */
const bareValueRule = /[A-Za-z0-9\-.!%*_+`'~:[\]]+/y
const digitsRule = /[0-9]+/y
const spaceRule = /[ \t]*/y

/** True for one whole token (RFC 3261 §25.1). */
export const isToken = (text: string): boolean => /^[A-Za-z0-9\-.!%*_+`'~]+$/.test(text)

/** True for a host name, IPv4 address or bracketed IPv6 address. */
export function isHost(text: string): boolean {
  if (text.startsWith('[')) return isIpv6(text.slice(1, -1)) && text.endsWith(']')
  if (/^[0-9.]+$/.test(text)) return isIpv4(text)
  return text.length <= 255 && /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?$/.test(text)
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((p) => /^[0-9]{1,3}$/.test(p) && Number(p) <= 255)
}

/** RFC 5954 grammar: eight groups, or fewer around one `::`, the last two maybe dotted. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const [h, half] of halves.entries()) {
    if (half === '') continue
    const parts = half.split(':')
    for (const [i, part] of parts.entries()) {
      const last = i === parts.length - 1 && h === halves.length - 1
      if (last && part.includes('.') && isIpv4(part)) groups += 2
      else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups += 1
      else return false
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8
}

export class Scanner {
  readonly text: string
  at: number
  constructor(text: string, at = 0) {
    this.text = text
    this.at = at
  }
  get done(): boolean {
    return this.at === this.text.length
  }
  /** True when only white space is left. */
  ended(): boolean {
    this.space()
    return this.done
  }
  match(rule: RegExp): string | undefined {
    rule.lastIndex = this.at
    const found = rule.exec(this.text)
    if (found === null) return undefined
    this.at += found[0].length
    return found[0]
  }
  /** Skips optional white space; true where there was some. */
  space(): boolean {
    return (this.match(spaceRule) ?? '') !== ''
  }
  /** One separator with the white space around it that the grammar allows (`SEMI`, `COMMA`, `SLASH`, …). */
  separator(char: string): boolean {
    const from = this.at
    this.space()
    if (this.text[this.at] !== char) {
      this.at = from
      return false
    }
    this.at++
    this.space()
    return true
  }
  token(): string | undefined {
    return this.match(tokenRule)
  }
  digits(): string | undefined {
    return this.match(digitsRule)
  }
  /** With its quotes. */
  quoted(): string | undefined {
    return this.match(quotedRule)
  }
  host(): string | undefined {
    const host = this.match(hostRule)
    return host !== undefined && isHost(host) ? host : undefined
  }
  /** 1–65535 (0 stands in no SIP message that works). */
  port(): number | undefined {
    const digits = this.digits()
    const port = digits !== undefined && digits.length <= 5 ? Number(digits) : 0
    return port >= 1 && port <= 65535 ? port : undefined
  }
  /** `*( SEMI name [ EQUAL value ] )`; undefined where one is malformed or there twice (§7.3.1). */
  params(): readonly Param[] | undefined {
    const params: Param[] = []
    const seen = new Set<string>()
    while (this.separator(';')) {
      const name = this.token()
      if (name === undefined || params.length >= limits.parameters || seen.has(name.toLowerCase())) return undefined
      seen.add(name.toLowerCase())
      if (!this.separator('=')) {
        params.push({ name })
        continue
      }
      const value = this.quoted() ?? this.match(bareValueRule)
      if (value === undefined) return undefined
      params.push({ name, value })
    }
    return params
  }
}

/** The value of a parameter, '' where it has none, undefined where it is absent. Names ignore case. */
export function paramOf(params: readonly Param[], name: string): string | undefined {
  const found = params.find((p) => p.name.toLowerCase() === name)
  return found === undefined ? undefined : (found.value ?? '')
}

export const showParams = (params: readonly Param[]): string => params.map((p) => (p.value === undefined ? `;${p.name}` : `;${p.name}=${p.value}`)).join('')

/** The content of a quoted string, or the text itself where it is not quoted. */
export const unquote = (text: string): string => (text.startsWith('"') && text.endsWith('"') && text.length >= 2 ? text.slice(1, -1).replace(/\\([\s\S])/g, '$1') : text)

/** Leaves out what a quoted string cannot hold. */
export const quote = (text: string): string => `"${text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '').replace(/["\\]/g, '\\$&')}"`
