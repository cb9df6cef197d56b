/**
 * What the client and its page say to each other over one WebSocket. Text messages are JSON (`encodePage`), binary ones are
 * sound: an octet that says which (`SOUND`), an octet of zero, then 16 kHz mono PCM, little endian.
 */
import type { Instant, Ssrc } from '../base/brand.ts'
import type { Identity, KeyProtection } from './identity.ts'
import type { Acquaintance, CallEvent, CallState, Roster } from './roster.ts'

export const PAGE_PROTOCOL = 'stc.page.1'

export const SOUND = {
  /** Page → client: the microphone. Client → page: what is to be heard. */
  live: 1,
  /** Client → page, after a tap: the user's voice as the members hear it. */
  members: 2,
  /** The same time as the server could hear it. */
  server: 3,
} as const

export interface PageFault {
  readonly code: string
  readonly message: string
}

/** Where the connection to the server stands. */
export interface PageServer {
  readonly name: string
  readonly state: 'connecting' | 'up' | 'down'
  readonly fault?: PageFault
  /** Up, but it has not answered for two seconds. */
  readonly silent?: boolean
  /** How voice reaches the server. */
  readonly path: 'none' | 'udp' | 'tls'
  readonly roundTripMs?: number
  /** The server's clock before ours, in seconds. */
  readonly clockAheadS?: number
}

/** A softphone that the client serves. */
export interface PagePhone {
  readonly line: string
  /** Where it registers, `address:port`. */
  readonly address: string
  readonly user: string
  /** It has to show a password that the configuration names. */
  readonly password: boolean
  readonly transports: readonly string[]
  /** Contacts that are registered now. */
  readonly registered: readonly string[]
}

export interface PageCall {
  readonly id: number
  readonly room: string
  readonly startedAt: Instant
  /** Who speaks and hears: `browser`, or the line of a phone. */
  readonly line: string
  readonly muted: boolean
  readonly roster: Roster
  /** Whom we called, or who called us: a room that nobody has to know the name of. */
  readonly person?: PageAddress
  /** Gains by keyId, where the user set one. */
  readonly volumes: Readonly<Record<string, number>>
  /** A telephone call that another one shows: its conference, or the sealed call that it is. */
  readonly hidden?: true
}

export interface PastCall {
  readonly room: string
  /** Unix, ms. */
  readonly startedAt: number
  readonly endedAt: number
  /** Everybody who was in it, by name. */
  readonly people: readonly string[]
  /** Of a call between people. `missed`: it rang here, and nobody answered. */
  readonly person?: PageAddress
  readonly direction?: 'in' | 'out' | 'missed'
  readonly fault?: PageFault
  /** A telephone call; `room` is its number. */
  readonly telephone?: true
}

/** Somebody to call: `to` is a key or a mail address. */
export interface PageAddress {
  readonly name: string
  readonly to: string
}

/** Somebody calls. */
export interface PageRing {
  readonly id: string
  readonly room: string
  /** Verified by our vault. */
  readonly identity: Identity
  readonly acquaintance?: Acquaintance
  readonly at: Instant
}

/** Somebody calls by telephone: number and name are the network's word, which proves nothing. Safe to show. */
export interface PageLineRing {
  readonly id: string
  readonly number: string
  readonly name: string
  readonly at: Instant
}

/** The page's own phone at the telephone system. */
export interface PageLine {
  /** Who it is there. */
  readonly number: string
  readonly registered: boolean
  /** Why it is not. */
  readonly fault?: PageFault
  readonly rings: readonly PageLineRing[]
  readonly call?: PageLineCall
}

/** The telephone call that the page's phone is in. */
export interface PageLineCall {
  /** The call that shows who can hear it: its own, that of its conference, or the sealed call that it is. */
  readonly call: number
  readonly number: string
  readonly outgoing: boolean
  readonly state: 'calling' | 'ringing' | 'early' | 'up'
  /** We hold it. */
  readonly held: boolean
}

/** Somebody is being called. */
export interface PageCalling extends PageAddress {
  readonly id: string
  readonly room: string
  readonly state: 'sent' | 'ringing'
}

/** Somebody whom we met. */
export interface PagePerson extends PageAddress {
  /** Unix seconds. */
  readonly lastSeen: number
  readonly compared: boolean
  readonly comparedAt?: number
  readonly changed: boolean
  readonly blocked: boolean
}

/** As `SenderStats` of the media thread, for one member. */
export interface PageSender {
  readonly ssrc: Ssrc
  readonly received: number
  readonly lost: number
  readonly late: number
  readonly unopened: number
  readonly concealed: number
  readonly played: number
  readonly level: number
  readonly bufferMs: number
  readonly jitterMs: number
  readonly epochBits?: number
  readonly lastFault?: string
}

/** The epoch with these low eight bits that is nearest to one that is known. */
export const epochNear = (known: bigint, bits: number): bigint => known + BigInt.asIntN(8, BigInt(bits) - known)

/** Set-up is what a client without a configuration offers instead of calls. */
export interface PageSetup {
  readonly step: 'server' | 'invited' | 'certificate' | 'starting' | 'passphrase' | 'done'
  /** To be read to whoever invited. */
  readonly code?: string
  readonly server?: string
  readonly fault?: PageFault
}

/** As the vault reports it: what locks it in, and what could not be had. */
export interface PageKeys {
  readonly protection: KeyProtection
  /** Of the vault's program, SHA-256, hex. */
  readonly program?: string
  readonly locks: readonly { readonly name: string; readonly had: boolean; readonly detail: string }[]
}

export interface PageSnapshot {
  readonly k: 'snapshot'
  readonly version: string
  /** One instant of the client's clock and the wall time of it, in ms: `at` of events is counted in the former. */
  readonly clock: { readonly instant: Instant; readonly unixMs: number }
  readonly identity?: Identity
  readonly server: PageServer
  readonly phones: readonly PagePhone[]
  readonly calls: readonly PageCall[]
  readonly past: readonly PastCall[]
  readonly rings: readonly PageRing[]
  readonly calling: readonly PageCalling[]
  /** Who was met last, first. */
  readonly people: readonly PagePerson[]
  /** Names of rooms that the configuration knows, as dialled. */
  readonly rooms: readonly { readonly name: string; readonly dial: string }[]
  readonly roomPrefix: string
  /** The room in which the user hears what becomes of the own voice. */
  readonly echoDial: string
  readonly echoRoom: string
  /** This page's own call, while there is one. */
  readonly browser: BrowserState
  /** Where the page's phone has an account. */
  readonly line?: PageLine
  readonly setup?: PageSetup
  readonly warnings: readonly string[]
  /** How our own keys are kept; absent until the client has started. */
  readonly keys?: PageKeys
}

export interface BrowserState {
  readonly state: 'idle' | 'dialling' | 'talking'
  /** Which window of this browser has the microphone and the speaker: this one, another, or none that is open. */
  readonly sound: 'here' | 'elsewhere' | 'nowhere'
  /** The call, once the client has begun it. */
  readonly call?: number
  /** Why the last call ended or never began. */
  readonly reason?: string
  readonly fault?: PageFault
}

export type PageMessage =
  | PageSnapshot
  | { readonly k: 'server'; readonly server: PageServer }
  | { readonly k: 'phones'; readonly phones: readonly PagePhone[] }
  | { readonly k: 'call'; readonly call: PageCall }
  | { readonly k: 'event'; readonly call: number; readonly event: CallEvent }
  /** `past`: as it is remembered, where it is. */
  | { readonly k: 'over'; readonly call: number; readonly past?: PastCall }
  | { readonly k: 'rings'; readonly rings: readonly PageRing[]; readonly calling: readonly PageCalling[] }
  | { readonly k: 'people'; readonly people: readonly PagePerson[] }
  | { readonly k: 'past'; readonly past: readonly PastCall[] }
  /** To be compared aloud with this person: 30 digits in groups of five. */
  | { readonly k: 'pairwise'; readonly keyId: string; readonly code: string }
  | { readonly k: 'stats'; readonly call: number; readonly senders: readonly PageSender[]; readonly sent: number; readonly lateTicks: number }
  /** 0 loudest to 127 silence (RFC 6464). */
  | { readonly k: 'levels'; readonly call: number; readonly own: number; readonly levels: readonly (readonly [ssrc: Ssrc, level: number])[] }
  | { readonly k: 'browser'; readonly browser: BrowserState }
  | { readonly k: 'line'; readonly line: PageLine }
  | { readonly k: 'setup'; readonly setup: PageSetup | undefined }
  /** The first octets of a tap, hex; its two sounds follow as binary messages. */
  | { readonly k: 'tapped'; readonly call: number; readonly octets: string }
  | { readonly k: 'notice'; readonly fault: PageFault }
  /** The answer to the command of this number. */
  | { readonly k: 'done'; readonly ref: number; readonly fault?: PageFault }

/** Commands of the page, by name. */
export interface PageCommands {
  /** The page's own phone. `typed`: as the user wrote it, where the page has put something in front. */
  dial: { readonly number: string; readonly typed?: string }
  hangup: Record<never, never>
  digit: { readonly digit: string }
  /** On its line: takes or declines a call that rings, holds the one that it is in, passes it on to another number. */
  'line-answer': { readonly ring: string }
  'line-refuse': { readonly ring: string }
  hold: { readonly on: boolean }
  transfer: { readonly number: string }
  /** This window takes the sound; the one that had it before loses it. */
  audio: { readonly on: boolean }
  /** Any call of this client. */
  mute: { readonly call: number; readonly muted: boolean }
  leave: { readonly call: number }
  volume: { readonly call: number; readonly keyId: string; readonly gain: number }
  meters: { readonly on: boolean }
  tap: { readonly call: number; readonly seconds: number }
  remove: { readonly call: number; readonly keyId: string; readonly ban: boolean }
  /** What a host does to one presence of a conference of the PBX, certificate or not; everybody to their own. `member`: the roster's number. */
  act: { readonly call: number; readonly act: 'mute' | 'unmute' | 'kick'; readonly member: number }
  /** Hosts. Shown before admission is whom the certificate names; it is admitted by key. */
  lock: { readonly call: number; readonly locked: boolean }
  admit: { readonly call: number; readonly keyId: string }
  /** Anybody: all see it, and who raised it. */
  flag: { readonly call: number; readonly text: string }
  /** Calls somebody, by key or mail address, with the page's phone; asks somebody into a call. */
  'call-person': { readonly to: string; readonly name: string }
  'ask-in': { readonly call: number; readonly to: string; readonly name: string }
  answer: { readonly ring: string }
  refuse: { readonly ring: string }
  /** The code with somebody; and that it was the same on both sides. */
  pairwise: { readonly keyId: string }
  compared: { readonly keyId: string }
  /** May not ring here any more, and is not heard; in rooms of ours everybody is told. */
  block: { readonly keyId: string; readonly blocked: boolean }
  'forget-calls': Record<never, never>
  /** A call through a provider that is not sealed, or with somebody else than before: talk all the same. `state`: what was shown, for nothing else is accepted. */
  accept: { readonly call: number; readonly state: CallState['state'] }
  /** The words of such a call, as they were shown, are the same at the other side: its key is the number's from now on. */
  'same-words': { readonly call: number; readonly words: readonly string[] }
  /** Set-up. */
  'setup.server': { readonly server: string }
  /** To another invitation or address. */
  'setup.back': Record<never, never>
  /** Certificate, key and authorities in any order and number of files, each as base64. */
  'setup.identity': { readonly files: readonly string[]; readonly passphrase: string }
  /** Opens the key of a client that is set up. */
  'setup.passphrase': { readonly passphrase: string }
}
export type PageCommand = { readonly [K in keyof PageCommands]: { readonly ref: number; readonly c: K } & PageCommands[K] }[keyof PageCommands]

/** JSON with `bigint`s as `{"$n": "123"}`; epochs are such numbers. */
export const encodePage = (m: PageMessage | PageCommand): string => JSON.stringify(m, (_, v: unknown) => (typeof v === 'bigint' ? { $n: String(v) } : v))

/** For messages of the client, which the page trusts; throws where it is not JSON. */
export const decodePage = (text: string): PageMessage =>
  JSON.parse(text, (_, v: unknown) => (isNumber(v) ? BigInt(v.$n) : v)) as PageMessage

const isNumber = (v: unknown): v is { $n: string } => typeof v === 'object' && v !== null && '$n' in v && typeof v.$n === 'string'

/** Sound as a binary message. */
export function encodeSound(kind: number, pcm: Int16Array): Uint8Array {
  const octets = new Uint8Array(2 + 2 * pcm.length)
  octets[0] = kind
  const view = new DataView(octets.buffer)
  for (let i = 0; i < pcm.length; i++) view.setInt16(2 + 2 * i, pcm[i]!, true)
  return octets
}

/** Undefined where the octets are not sound. */
export function decodeSound(octets: Uint8Array): { readonly kind: number; readonly pcm: Int16Array } | undefined {
  if (octets.length < 4 || octets.length % 2 !== 0 || octets[1] !== 0) return undefined
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  const pcm = new Int16Array((octets.length - 2) / 2)
  for (let i = 0; i < pcm.length; i++) pcm[i] = view.getInt16(2 + 2 * i, true)
  return { kind: octets[0]!, pcm }
}
