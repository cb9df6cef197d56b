/** What a server needs besides its clients. */
import type { Scheduler } from '../base/ports.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { PlaneHandle } from '../media/plane/types.ts'
import type { AddressPort } from '../net/address.ts'
import type { RoomLimits } from '../protocol/room/index.ts'
import type { Log } from './log.ts'
import type { Forwarding } from './routes.ts'
import { Rings } from './rings.ts'
import { Shelf } from './shelf.ts'
import { Attestation } from './attestation.ts'
import { Meetings } from './meetings.ts'
import { Revocation } from './revocation.ts'

export { Attestation, Meetings, Revocation, Rings, Shelf }

export interface CoreOptions {
  readonly crypto: CryptoPort
  readonly scheduler: Scheduler
  readonly plane: PlaneHandle
  readonly log: Log
  readonly agent: string
  readonly realm: string
  /** Empty: the address of the connection, the plane's port. */
  readonly advertise: readonly AddressPort[]
  readonly roomLimits: RoomLimits
  readonly maximumRooms: number
  readonly forwarding?: Forwarding
  /** Empty unless given. */
  readonly revocation?: Revocation
  /** What Intel says about platforms; nothing unless given. */
  readonly attestation?: Attestation
  /** Policies of standing rooms and block notices; empty unless given. */
  readonly shelf?: Shelf
}
