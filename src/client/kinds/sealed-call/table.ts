/**
 * What a call through a provider may let through, and when (DESIGN §5: unsealed audio is normal around sealed calls). Pure; every
 * pair of state and event that is not here changes nothing.
 */
import type { ToneName } from '../../../audio/tones.ts'

export type Policy = 'require' | 'prefer'

export type State =
  /** Not answered: ringing, announcements, music. */
  | 'early'
  /** Answered; whether the other side has stc is not known. */
  | 'seeking'
  /** It has, and keys are being agreed on. */
  | 'agreeing'
  /** Something is wrong with who it is, or somebody is in the way: nobody hears anything until a person has decided. */
  | 'doubt'
  | 'sealed'
  /** It was sealed, and what comes does not open: hold music, another party, somebody in the way. */
  | 'lost'
  /** There is nobody to seal with, and this call is to be sealed: a person has to decide. Announcements can be heard. */
  | 'asking'
  /** Anyone on the way hears this. */
  | 'open'

export type Event =
  | 'answered'
  /** The other side's stc was found. */
  | 'found'
  | 'confirmed'
  /** The keys stand with somebody else than expected. */
  | 'mismatch'
  | 'failed'
  /** Nothing of stc was heard for long. */
  | 'nobody'
  /** The way between changes the sound. */
  | 'converts'
  /** Frames do not open, or open again. */
  | 'unopened'
  | 'opened'
  /** The call was described anew, in another codec: its keys are gone. */
  | 'renewed'
  /** Described, or described anew, in a codec that has no room for what sealing needs. */
  | 'unsealable'
  /** The key press. */
  | 'accepted'

export interface Passing {
  readonly up: 'pass' | 'silence'
  readonly down: 'pass' | 'silence'
}

const BOTH: Passing = { up: 'pass', down: 'pass' }
const NONE: Passing = { up: 'silence', down: 'silence' }
/** One hears who is there, and says nothing yet. */
const LISTEN: Passing = { up: 'silence', down: 'pass' }

export const passing = (state: State, policy: Policy): Passing => {
  switch (state) {
    case 'sealed': case 'open': return BOTH
    case 'early': case 'seeking': return policy === 'require' ? LISTEN : BOTH
    case 'asking': return LISTEN
    case 'agreeing': case 'doubt': case 'lost': return NONE
  }
}

type Next = State | { readonly [P in Policy]: State }
/** State, event, next state. */
export const ROWS: readonly (readonly [State, Event, Next])[] = [
  ['early', 'answered', 'seeking'],
  ['early', 'found', 'agreeing'],
  ['seeking', 'found', 'agreeing'],
  ['seeking', 'nobody', { require: 'asking', prefer: 'open' }],
  ['seeking', 'converts', { require: 'asking', prefer: 'open' }],
  ['seeking', 'unsealable', { require: 'asking', prefer: 'open' }],
  // Somebody else picks up: after voicemail, an announcement, a transfer.
  ['asking', 'found', 'agreeing'],
  ['asking', 'accepted', 'open'],
  ['open', 'found', 'agreeing'],
  // The other side was there: only a person makes it less.
  ['agreeing', 'unsealable', 'asking'],
  ['agreeing', 'confirmed', 'sealed'],
  ['agreeing', 'mismatch', 'doubt'],
  ['agreeing', 'failed', 'doubt'],
  ['agreeing', 'nobody', 'doubt'],
  // Looked for again, and back under the keys of before.
  ['agreeing', 'opened', 'sealed'],
  ['asking', 'opened', 'sealed'],
  ['doubt', 'accepted', 'open'],
  ['doubt', 'renewed', 'agreeing'],
  ['sealed', 'unopened', 'lost'],
  ['sealed', 'renewed', 'agreeing'],
  // It was called sealed: only a person makes it open.
  ['sealed', 'converts', 'asking'],
  ['lost', 'converts', 'asking'],
  ['sealed', 'unsealable', 'asking'],
  ['lost', 'unsealable', 'asking'],
  ['lost', 'opened', 'sealed'],
  // With whoever is there now: looked for beside, and nothing is heard before.
  ['lost', 'confirmed', 'sealed'],
  ['lost', 'mismatch', 'doubt'],
  ['lost', 'renewed', 'agreeing'],
  ['lost', 'accepted', 'open'],
]

export function next(state: State, event: Event, policy: Policy): State {
  const row = ROWS.find(([s, e]) => s === state && e === event)?.[2]
  return row === undefined ? state : typeof row === 'string' ? row : row[policy]
}

/** A key press decides. */
export const asks = (state: State): boolean => ROWS.some(([s, e]) => s === state && e === 'accepted')

/** What the phone is told when a state begins. */
export const toneOf = (state: State): ToneName | undefined =>
  state === 'sealed' ? 'sealed' : state === 'lost' || state === 'doubt' ? 'lost' : state === 'asking' ? 'attention' : undefined
