/** A signed word that a key is in wrong hands, or no longer so. */
import type { UnixTime } from '../base/brand.ts'

export interface BlockNotice {
  readonly kind: 'block' | 'lift'
  readonly realm: string
  /** The key that is meant, as of `Identity.keyId`. */
  readonly target: string
  readonly issued: UnixTime
  /** One safe line. */
  readonly reason: string
  /** The key that signed. */
  readonly by: string
  readonly bytes: Uint8Array
}
