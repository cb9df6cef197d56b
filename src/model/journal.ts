/**
 * What stands in a journal: who was in which conference when, acts, epochs, what failed to verify. No audio, no secrets.
 * What the vault saw itself it writes itself; what its client tells is marked as the client's word.
 */
import type { UnixTime } from '../base/brand.ts'

export interface JournalMember {
  readonly leaf: number
  readonly name: string
  /** SHA-256 of the public key, hex. */
  readonly keyId: string
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string
  readonly kind: 'member' | 'gateway'
  readonly self?: true
}

/** Which conference is meant; `call` as of call-id.ts. */
interface InCall {
  readonly room: string
  readonly call: string
}

/** The vault's own: verified when it was written. */
export type VaultFact =
  /** We are in: everybody who is. */
  | (InCall & { readonly what: 'entered'; readonly realm: string; readonly generation: number; readonly epoch: number; readonly code: string; readonly members: readonly JournalMember[] })
  | (InCall & { readonly what: 'epoch'; readonly epoch: number; readonly code: string; readonly came: readonly JournalMember[]; readonly went: readonly (JournalMember & { readonly reason: string; readonly by?: string })[] })
  /** The policy that the group follows from now on, with its signed octets where they are not too long. `by`, `stateBy`: the keys that signed. */
  | (InCall & { readonly what: 'policy'; readonly version: number; readonly stateVersion: number; readonly by: string; readonly stateBy: string; readonly signed?: { readonly base: Uint8Array; readonly state: Uint8Array } })
  | (InCall & { readonly what: 'left'; readonly epoch: number })
  /** Something that came in was refused: the step, the fault's code, SHA-256 of the octets. */
  | (Partial<InCall> & { readonly what: 'refused'; readonly step: string; readonly code: string; readonly text: string; readonly digest?: string })
  /** Facts for which there was no room. */
  | { readonly what: 'lost'; readonly facts: number }

/** The client's word. */
export type ClientNote =
  | { readonly what: 'started'; readonly text: string }
  | { readonly what: 'ended'; readonly text: string }
  /** The server, the vault, a call: what happened, as screens say it. */
  | { readonly what: 'note'; readonly room?: string; readonly call?: string; readonly code: string; readonly text: string }
  /** A signed act, `by` key. */
  | { readonly what: 'act'; readonly room?: string; readonly call?: string; readonly act: string; readonly by: string; readonly text: string }
  /** Somebody's audio does not open (`code`), or does again. */
  | { readonly what: 'unheard'; readonly room?: string; readonly call?: string; readonly name: string; readonly keyId: string; readonly code?: string }
  /** A conference of the PBX as its server tells it. `callers`: whom no certificate names. */
  | { readonly what: 'present'; readonly room?: string; readonly call?: string; readonly members: readonly string[]; readonly callers: readonly string[] }
  | { readonly what: 'over'; readonly room?: string; readonly call?: string; readonly text: string; readonly code?: string }
  /** Records up to this number are deleted, as somebody or the configuration wants. */
  | { readonly what: 'deleted'; readonly upTo: number; readonly text: string }
  /** What stood in the place of the journal could not be believed, and lies in this folder now. */
  | { readonly what: 'set-aside'; readonly code: string; readonly text: string }

export type JournalFact = ({ readonly source: 'vault' } & VaultFact) | ({ readonly source: 'client' } & ClientNote)
export type JournalEntry = JournalFact & { readonly time: UnixTime }
