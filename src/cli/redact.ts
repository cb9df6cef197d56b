/**
 * Takes out of a text what nobody else needs to see: secrets by their look, people and places by being known. The same thing gets
 * the same name everywhere in one bundle, so that a reader can still follow who did what.
 */
import { isIPv6 } from 'node:net'

interface Known {
  /** What kind of thing it is: the name in its place. */
  readonly label: string
  readonly value: string
}

const SHORTEST_KNOWN = 2

export class Redactor {
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  /** Known values, the longest first: a name inside another is part of that. */
  #known: Known[] = []

  know(label: string, ...values: readonly (string | undefined)[]): void {
    for (const value of values) if (value !== undefined && value.trim().length >= SHORTEST_KNOWN && !this.#known.some((k) => k.value === value)) this.#known.push({ label, value })
    this.#known.sort((a, b) => b.value.length - a.value.length)
  }
  /** The name of a value in this bundle. */
  alias(label: string, value: string): string {
    const key = `${label}\n${value.toLowerCase()}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const n = (this.#counts.get(label) ?? 0) + 1
    this.#counts.set(label, n)
    const name = `<${label}-${n}>`
    this.#names.set(key, name)
    return name
  }

  text(raw: string): string {
    let t = raw
    for (const [pattern, label] of SECRETS) t = t.replace(pattern, (_, before: string = '') => `${before}<${label}>`)
    // By their look first: a known name in the middle of one would hide it.
    for (const [pattern, label] of PEOPLE) t = t.replace(pattern, (all, before: string = '', value: string = all) => `${before}${this.alias(label, value)}`)
    t = eachIPv6(t, (all) => (isNear6(all) ? all : this.#address(all))).replace(IPV4, (all) => (isNear(all) ? all : this.#address(all)))
    for (const { label, value } of this.#known) t = t.replace(wholeWord(value), () => this.#named(label, value))
    // What is long and of no language: keys, tokens, fingerprints.
    return t.replace(/[A-Za-z0-9+/_=-]{20,}/g, (all) => (looksRandom(all) ? this.alias('data', all) : all))
  }
  #named(label: string, value: string): string {
    return label === 'secret' ? '<secret>' : this.alias(label, value)
  }
  /** Under the name that it has where it is known from the configuration. */
  #address(value: string): string {
    const known = this.#known.find((k) => k.value.toLowerCase() === value.toLowerCase())
    return known === undefined ? this.alias('address', value) : this.#named(known.label, known.value)
  }
}

/** Replaced whole; what stands in the first group stays. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/()-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, 'pem'],
  [/(https?:\/\/[^\s#"']*#)[^\s"']+/g, 'secret'],
  [/(https?:\/\/)[^\s/@"']+@/g, 'secret'],
  [/(\b(?:pass(?:word|phrase|wd)?|secret|token|pin|cookie|authorization|key)["']?\s*[:=]\s*["']?)(?!<)[^\s"',}]+/gi, 'secret'],
  [/(\binline:)[^\s|]+/g, 'secret'],
]
const PEOPLE: readonly (readonly [RegExp, string])[] = [
  [/()([\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g, 'mail'],
  [/(sips?:)([^@\s<>;"]+)(?=@)/gi, 'user'],
  [/(\btel:)([^\s<>;"]+)/gi, 'number'],
  [/(\bdials )(\S+)/g, 'number'],
  // Display names (RFC 3261 §20.10), of whatever header: quoted, and not; of the first address and of those after a comma.
  [/()"((?:[^"\\\r\n]|\\.)+)"(?=\s*<(?:sips?|tel):)/gi, 'name'],
  [/(^[ \t]*[\w-]+[ \t]*:[ \t]*|>[^"<>\r\n]*,[ \t]*)([^\s"<>](?:[^"<>\r\n]*[^\s"<>])?)(?=[ \t]*<(?:sips?|tel):)/gim, 'name'],
]
const IPV4 = /\b(?:\d{1,3}\.){3}\d{1,3}\b/g
const LONGEST_IPV6 = 45
/** What an address of IPv6 is made of, one with IPv4 at its end too. */
const IPV6_RUN = /(?<![0-9a-f])[0-9a-f]*:[0-9a-f.]*:[0-9a-f:.]*/gi

const wholeWord = (value: string): RegExp => new RegExp(`(?<![\\p{L}\\p{N}])${value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\p{L}\\p{N}])`, 'giu')

function looksRandom(text: string): boolean {
  if (/^[0-9a-f]{20,}$/i.test(text) && /\d/.test(text)) return true
  return /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)
}

const isNear = (a: string): boolean => /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|0\.0\.0\.0$|169\.254\.)/.test(a)
/** This machine, this link, unique local addresses (RFC 4193), and near ones of IPv4 in IPv6's clothes. */
const isNear6 = (a: string): boolean => /^(::1?$|fe[89ab][0-9a-f]:|f[cd][0-9a-f]{2}:)/i.test(a) || (/^::ffff:\d+\./i.test(a) && isNear(a.slice('::ffff:'.length)))

/** Every IPv6 address of a text, also in brackets, with a zone or a port behind it: the longest that begins at each place. */
function eachIPv6(text: string, change: (address: string) => string): string {
  return text.replace(IPV6_RUN, (run, offset: number) => {
    // The end of a word before a colon is no group of the address: "received:2001:db8::1".
    let out = /\p{L}/u.test(text[offset - 1] ?? '') ? (/^[a-f]*(?=:)/i.exec(run)?.[0] ?? '') : ''
    for (let at = out.length; at < run.length;) {
      let end = Math.min(run.length, at + LONGEST_IPV6)
      while (end > at && !isIPv6(run.slice(at, end))) end--
      out += end > at ? change(run.slice(at, end)) : run[at]!
      at = Math.max(end, at + 1)
    }
    return out
  })
}

/** Keys whose words are of our own making and tell nothing about anybody. */
const PLAIN_KEYS = new Set(['transports', 'suites', 'suite', 'codec', 'forwarding', 'srtp', 'vault', 'mediaPlane', 'log', 'upstream', 'kind', 'mediaOverTls', 'rule', 'country', 'minimumKeyProtection', 'roomPrefix', 'shownName', 'emergency', 'carriers', 'policy', 'profile', 'language', 'transport'])
const PLAIN_WORDS = new Set(['stc', 'auto', 'none', 'anchors', '127.0.0.1', '::1', '0.0.0.0', '::'])
/** Whose keys are names themselves, and of what. */
const NAMED: Readonly<Record<string, string>> = { users: 'user', legacy: 'number', names: 'number', rooms: 'room' }

/** Those whose values are secrets. */
const OF_SECRETS = new Set(['users', 'legacy'])
const isSecretKey = (key: string): boolean => key === 'passphrase' || key === 'password' || key === 'proxy'

/** A configuration with the words that are not ours replaced. What is known from it is known to `r` from then on. */
export function redactConfig(r: Redactor, value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((v) => redactConfig(r, v, key))
  if (typeof value === 'object' && value !== null) {
    const label = NAMED[key]
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [label === undefined || k === 'default' ? k : r.alias(label, k), OF_SECRETS.has(key) ? '<secret>' : redactConfig(r, v, key === 'names' ? 'room' : k)]))
  }
  if (typeof value !== 'string' || PLAIN_KEYS.has(key) || PLAIN_WORDS.has(value)) return value
  return isSecretKey(key) ? '<secret>' : r.alias(LABELS[key] ?? key, value)
}
const LABELS: Readonly<Record<string, string>> = { host: 'server', certificate: 'file', anchors: 'file', lists: 'file', data: 'file', line: 'line' }

/** What in a configuration must not be seen anywhere else in the bundle. */
export function knowConfig(r: Redactor, value: unknown, key = ''): void {
  if (Array.isArray(value)) for (const v of value) knowConfig(r, v, key)
  else if (typeof value === 'object' && value !== null) {
    for (const [k, v] of Object.entries(value)) {
      if (OF_SECRETS.has(key)) {
        r.know(NAMED[key]!, k)
        if (typeof v === 'string') r.know('secret', v)
      } else {
        if (key === 'names' || key === 'rooms') r.know(NAMED[key]!, ...(k === 'default' ? [] : [k]))
        knowConfig(r, v, key === 'names' ? 'room' : k)
      }
    }
  } else if (typeof value === 'string' && !PLAIN_KEYS.has(key) && !PLAIN_WORDS.has(value)) r.know(isSecretKey(key) ? 'secret' : (LABELS[key] ?? key), value)
}
