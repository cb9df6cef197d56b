/** What the demo's processes say to each other (structured clone over the child's IPC channel). */
import type { AddressPort } from '../net/address.ts'
import type { Note, Roster } from '../model/roster.ts'
import type { ClientConfig } from '../client/config.ts'
import type { SenderStats } from '../media/api.ts'

export interface MemberRole {
  readonly role: 'member'
  readonly name: string
  readonly config: ClientConfig
  readonly configFile: string
  /** WAV files that it says, one after the other, in a loop; empty: no robot, only the phones of the configuration. */
  readonly voices: readonly string[]
  readonly room: string
  /** Keep what is heard. */
  readonly record: boolean
  /** Offer the page. */
  readonly page?: boolean
}

export interface ServerRole {
  readonly role: 'server'
  readonly configFile: string
}

export type Role = MemberRole | ServerRole

export type Order =
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'dial' }
  | { readonly kind: 'mute'; readonly on: boolean }
  /** Answered by `recorded`: everything heard since the last `cut`. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'stop' }

export type Report =
  | { readonly kind: 'up'; readonly listening?: AddressPort }
  | { readonly kind: 'phones'; readonly addresses: readonly string[]; readonly page?: string }
  | { readonly kind: 'roster'; readonly roster: Roster }
  | { readonly kind: 'note'; readonly note: Note }
  | { readonly kind: 'phone'; readonly text: string }
  | { readonly kind: 'joined'; readonly joinMs: number }
  /** Running counts; instants in the clock of `dialledAt`. */
  | { readonly kind: 'stats'; readonly senders: readonly SenderStats[]; readonly sent: number; readonly lateTicks: number; readonly dialledAt: number }
  | { readonly kind: 'recorded'; readonly pcm: Int16Array }
  /** The call ended; the process goes on. */
  | { readonly kind: 'left'; readonly reason: string }
  /** The process ended. */
  | { readonly kind: 'over'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
