/** What the server's core sees of phones that connect by themselves. */
import type { Peer } from '../session.ts'

/** Who stands behind a leg of the PBX: a client's session, or a phone's certificate. */
export interface Guest {
  readonly keyId: string
  readonly peer: Pick<Peer, 'identity' | 'chain'>
}

export interface PhonesPort {
  /** By the session of its legs. */
  who(session: string): Guest | undefined
  /** Revocation changed. */
  recheck(): void
  readonly load: { readonly phones: number; readonly connections: number; readonly calls: number }
  close(): void
}
