/** A room of vaults in one process and in virtual time; commits go to everybody at once. */
import { type RoomName, type Ssrc, ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import type { GroupView, JoinerRequest, RemovalRequest, Vault } from '../../src/vault/api/calls.ts'
import type { Frame } from '../../src/vault/api/frames.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { People, REALM } from './people.ts'
import { VirtualClock } from './virtual-clock.ts'

export const ROOM = 'room-1' as RoomName

export interface Seat {
  readonly vault: Vault
  session: number
  view: GroupView
  readonly ssrc: Ssrc
}

export class VaultRoom {
  readonly clock = new VirtualClock()
  readonly people: People
  seats: Seat[] = []
  #nextSsrc = 100

  constructor(people?: People) {
    this.people = people ?? new People(this.clock.unix())
  }

  vault(name: string): Vault {
    const { chain, pkcs8 } = this.people.person(name)
    return must(createVault({ crypto: this.people.crypto, clock: this.clock }, { chain, pkcs8, anchors: [this.people.ca.certificate], realm: REALM }))
  }
  /** The first creates the room, the others are added by it, everybody announces. */
  async open(...names: readonly string[]): Promise<Seat[]> {
    for (const name of names) await this.enter(this.vault(name))
    return this.seats
  }
  async enter(vault: Vault): Promise<Seat> {
    const [first] = this.seats
    const stream = ssrc(this.#nextSsrc++)
    let seat: Seat
    if (first === undefined) {
      const policy = { room: ROOM, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const
      const { view } = must(await vault.call('room.create', { policy, generation: 1 }))
      seat = { vault, session: view.session, view, ssrc: stream }
    } else {
      const request = must(await vault.call('room.request', { room: ROOM, suite: 'x25519' }))
      const welcome = await this.commit(first, [{ id: 1, keyPackage: request.keyPackage }], [])
      const { view } = must(await vault.call('room.welcome', { session: request.session, welcome: welcome! }))
      seat = { vault, session: request.session, view, ssrc: stream }
    }
    this.seats.push(seat)
    await this.announce(seat)
    return seat
  }
  async announce(seat: Seat): Promise<void> {
    const { message } = must(await seat.vault.call('room.announce', { session: seat.session, ssrc: seat.ssrc }))
    for (const other of this.seats) if (other !== seat) must(await other.vault.call('room.message', { session: other.session, message }))
  }
  /** Those removed leave their seat. */
  async commit(by: Seat, adds: readonly JoinerRequest[], removes: readonly RemovalRequest[], absent: readonly Seat[] = []): Promise<Uint8Array | undefined> {
    const made = must(await by.vault.call('room.propose', { session: by.session, adds, removes }))
    for (const other of this.seats) {
      if (other === by || absent.includes(other)) continue
      const applied = must(await other.vault.call('room.apply', { session: other.session, commit: made.commit, removals: made.removes }))
      other.view = applied.view
      if (applied.ended) this.seats = this.seats.filter((s) => s !== other)
    }
    by.view = must(await by.vault.call('room.confirm', { session: by.session })).view
    return made.welcome
  }
}

export async function seal(seat: Seat, timestamp: number, stream: Ssrc = seat.ssrc): Promise<Frame> {
  return (await seat.vault.frames({ op: 'seal', session: seat.session, frames: [{ ssrc: stream, timestamp, data: Uint8Array.of(7, timestamp & 0xff) }] })).frames[0]!
}

/** The fault, or 'heard'. */
export async function hear(seat: Seat, frame: Frame): Promise<string> {
  const opened = (await seat.vault.frames({ op: 'open', session: seat.session, frames: [frame] })).frames[0]!
  return opened.fault ?? 'heard'
}
