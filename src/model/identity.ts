/** Who somebody is, as verified from a certificate, and how that is shown. */
import type { UnixTime } from '../base/brand.ts'

/**
 * Plain data from a verified certificate. All text has passed `safeText`; escaping for HTML is up to
 * whoever writes HTML. People are told apart by `keyId`, never by text.
 */
export interface Identity {
  /** What our own configuration picks as the name to show; absent where it leaves that to `displayName`. */
  readonly shownName?: string
  /** Common name of the subject; empty where the certificate has none. */
  readonly subject: string
  readonly organisation?: string
  /** Mail addresses, from the subject alternative name first. */
  readonly emails: readonly string[]
  /** DNS names and IP addresses of the subject alternative name, lower case. */
  readonly hosts: readonly string[]
  /** The issuer's common name, or its organisation. */
  readonly issuer: string
  /** Hex, without leading zeros. */
  readonly serial: string
  readonly notBefore: UnixTime
  /** Last second of validity. */
  readonly notAfter: UnixTime
  /** SHA-256 of the SubjectPublicKeyInfo, hex: stays when a certificate is renewed for the same key. */
  readonly keyId: string
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string
}

/** How the key that seals a member's audio is kept, as it claims itself; weakest first. */
export const KEY_PROTECTIONS = ['in-process', 'process', 'enclave'] as const
export type KeyProtection = (typeof KEY_PROTECTIONS)[number]

/** What a quote showed to us who look, where somebody says that its keys are in an enclave. */
export type EnclaveProof =
  | {
    readonly proven: true
    readonly tee: 'sgx' | 'tdx'
    /** MRENCLAVE or MRTD, hex. */
    readonly measurement: string
    /** Of the platform, in Intel's words. */
    readonly status: string
    readonly advisories: readonly string[]
    /** Intel's word about the platform is good until then. */
    readonly until: UnixTime
  }
  | { readonly proven: false; readonly code: string; readonly reason: string }

/** How somebody's keys are kept, as whoever looks at the roster can know it. `measurement`: of the program, the member's word. */
export function protectionText(keyProtection: KeyProtection, measurement?: string, proof?: EnclaveProof): string {
  if (proof?.proven === true) return `${proof.tee === 'sgx' ? 'SGX enclave' : 'TDX domain'} (measurement ${proof.measurement.slice(0, 16)}${proof.status === 'UpToDate' ? '' : `, platform ${proof.status}`})`
  const program = measurement === undefined ? '' : `, program ${measurement.slice(0, 16)}`
  const refused = proof === undefined ? '' : `; claims an enclave, not proven: ${proof.reason}`
  return keyProtection === 'in-process' ? 'in process' : `isolated process (says the member's client${program})${refused}`
}

export const DISPLAY_NAME_LIMIT = 64
/** Longest text kept of any name, in characters. */
export const TEXT_LIMIT = 128

const REPLACEMENT = '\uFFFD'
/** Join controls belong to Persian and Indic spelling; after any other character they only hide something. */
const HIDDEN_JOINER = /(?<![[\p{L}\p{M}]--[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]])[\u200c\u200d]/gv
/** Controls, format characters (bidirectional overrides among them), lone surrogates, private and unassigned ones, line breaks, blank letters. */
const UNSAFE = /[[\p{C}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]--[\u200c\u200d]]/gv
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu

/**
 * Text of a stranger, fit for a screen, a terminal and a log: one line, no control or format characters,
 * at most `limit` characters. What is taken out leaves a visible mark, so that it cannot pass for another's name.
 */
export function safeText(text: string, limit: number = TEXT_LIMIT): string {
  // Cut first: normalising is linear, but a name of megabytes is nobody's name.
  const kept = text.slice(0, 8 * limit).normalize('NFC')
  const clean = kept.replace(HIDDEN_JOINER, REPLACEMENT).replace(UNSAFE, REPLACEMENT).replace(STACKED_MARKS, `$1${REPLACEMENT}`)
  const line = clean.replace(/\s+/gu, ' ').trim()
  const characters = [...line]
  return characters.length <= limit && text.length <= 8 * limit ? line : `${characters.slice(0, limit - 1).join('')}…`
}

/**
 * What a roster shows: the configured field, else common name, else mail address, else organisation, else host, else the key's first digits.
 * May hold right-to-left letters: a page isolates it (`<bdi>`).
 */
export function displayName(identity: Identity): string {
  const name = [identity.shownName, identity.subject, identity.emails[0], identity.organisation, identity.hosts[0]].find((t) => t !== undefined && t !== '')
  return name === undefined ? `key ${identity.keyId.slice(0, 16)}` : safeText(name, DISPLAY_NAME_LIMIT)
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}\p{Script=Hanifi_Rohingya}]/u

/**
 * A name within a line of text: one with right-to-left letters is isolated (Unicode UAX #9, FSI … PDI), so that it does not carry what
 * follows it, a key or a role, to its other side. No name holds these marks itself: `safeText` takes them out.
 */
export const inSentence = (identity: Identity): string => inLine(displayName(identity))

/** The same for any text that has passed `safeText`. */
export const inLine = (text: string): string => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text)
