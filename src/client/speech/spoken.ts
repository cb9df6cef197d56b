/** What a phone without a screen is told in words. Pure: a sentence for a synthesiser, and the recorded words to fall back on. */
import { displayName } from '../../model/identity.ts'
import { hasPlainLeg, privacyOf } from '../../model/privacy.ts'
import type { CallEvent, CallState, Roster } from '../../model/roster.ts'
import type { Sentences } from './sentences.ts'

/** One recorded word or phrase: a file of `words/`. */
export const WORDS = [
  '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'alone', 'people', 'code', 'no-code', 'locked', 'unlocked', 'not-host', 'gateway', 'bridged', 'open', 'plain-leg', 'asking', 'doubt',
] as const
export type Word = (typeof WORDS)[number]

export interface Spoken {
  /** With everything that only a synthesiser can say: names. */
  readonly text: (s: Sentences) => string
  readonly words: readonly Word[]
}

/** Speaks at once or not at all: a phone call does not wait for words. 16 kHz. */
export type Speak = (s: Spoken) => Promise<Int16Array | undefined>

/** Names that are read out; the rest is a number. */
const NAMES_SPOKEN = 12

const digits = (text: string): Word[] => [...text].filter((d): d is Word & string => /^[0-9]$/.test(d)) as Word[]
const phrase = (text: Spoken['text'], ...words: readonly Word[]): Spoken => ({ text, words })

/** `*5`: how many, and by what names their certificates call them. */
export function whoIsHere(r: Roster): Spoken {
  const count = r.members.length + r.callers.length
  if (count <= 1) return phrase((s) => s.alone, 'alone')
  const others = r.members.filter((m) => !m.self)
  const names = others.slice(0, NAMES_SPOKEN).map((m) => `${displayName(m.identity)}${m.identity.organisation === undefined ? '' : `, ${m.identity.organisation}`}`)
  return phrase((s) => s.here(count, names, others.length - names.length, r.callers.length), ...digits(String(count)), 'people')
}

/** `*6`: digit by digit, in the groups that the screens show. */
export function codeSpoken(r: Roster): Spoken {
  if (r.securityCode === '') return phrase((s) => s.noCode, 'no-code')
  const spelled = r.securityCode.split(' ').map((g) => [...g].join(' ')).join(', ')
  return phrase((s) => s.code(spelled), 'code', ...digits(r.securityCode))
}

const PLAIN_LEG = phrase((s) => s.plainLeg, 'plain-leg')

/** On entry, where the call is weaker than *sealed*; undefined where it is that. */
export function labelSpoken(r: Roster): Spoken | undefined {
  const privacy = privacyOf(r)
  if (privacy === 'open') return phrase((s) => s.open, 'open')
  if (privacy === 'bridged') return phrase((s) => s.bridged, 'bridged')
  if (privacy === 'none') return undefined
  if (r.members.some((m) => m.kind === 'gateway')) return phrase((s) => s.gateway, 'gateway')
  return hasPlainLeg(r) ? PLAIN_LEG : undefined
}

/** In a call through a provider, when it comes into this state. `plainLeg`: our phone's own leg is in clear. */
export function callSpoken({ state, profile }: CallState, plainLeg: boolean): Spoken | undefined {
  if (state === 'asking') return phrase((s) => s.asking, 'asking')
  if (state === 'doubt') return phrase((s) => s.doubt, 'doubt')
  // The legacy profile authenticates nobody: whoever is on the way can listen.
  if (state === 'open' || (state === 'sealed' && profile === 'chained')) return phrase((s) => s.open, 'open')
  return state === 'sealed' && plainLeg ? PLAIN_LEG : undefined
}

export const lockSpoken = (locked: boolean): Spoken => (locked ? phrase((s) => s.locked, 'locked') : phrase((s) => s.unlocked, 'unlocked'))
/** What is said to everybody's phone when it happens. `r`: as it is afterwards. */
export function spokenFor(r: Roster, e: CallEvent): Spoken | undefined {
  if (e.kind === 'act' && (e.act.act === 'lock' || e.act.act === 'unlock')) return lockSpoken(e.act.act === 'lock')
  // Once, however many there are, and however often one of them says so. Where more than these hear it, that was said.
  if (e.kind === 'phone-leg') return e.leg === 'plain-lan' && e.again !== true && privacyOf(r) === 'sealed' && r.members.filter((m) => m.phoneLeg === 'plain-lan').length <= 1 ? PLAIN_LEG : undefined
  return e.kind === 'note' && e.code === 'CLIENT_GATEWAY_JOINED' ? labelSpoken(r) : undefined
}
export const NOT_HOST: Spoken = phrase((s) => s.notHost, 'not-host')
