/** One client of a whole conference in virtual time: real machine, vault and media session. */
import { instant, type RoomName } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { must, ok } from '../../src/base/result.ts'
import { encodeRooms } from '../../src/protocol/policy/index.ts'
import { codecFactory } from '../../src/audio/codecs.ts'
import { joinPcm } from '../../src/audio/join-pcm.ts'
import { type CallObserver, RunningCall } from '../../src/client/calls.ts'
import { type ConferenceOptions, conferenceKind } from '../../src/client/kinds/conference/index.ts'
import type { MediaCommand, MediaEvent } from '../../src/media/api.ts'
import type { LegId } from '../../src/media/plane/types.ts'
import { createMediaSession, type MediaSession } from '../../src/media/session/session.ts'
import type { RoomCommand } from '../../src/client/call.ts'
import type { CallEvent, Roster } from '../../src/model/roster.ts'
import type { GroupView, Vault } from '../../src/vault/api/calls.ts'
import type { Clock } from '../../src/base/ports.ts'
import type { RevocationProof } from '../../src/model/trust.ts'
import type { ConferenceWorld } from './conference-world.ts'
import { robot } from './media-world.ts'
import type { LeakyVault } from './leaky-vault.ts'
import type { People } from './people.ts'
import type { SimHost } from './sim-net.ts'

export const ROOM = 'r' as RoomName

export type Person = ReturnType<People['person']>

export class WorldMember {
  readonly name: string
  /** Of the present connection; a new one gets a new session. */
  session: string
  readonly world: ConferenceWorld
  readonly vault: Vault
  readonly host: SimHost
  readonly keyId: string
  readonly identity: Person
  readonly mediaEvents: MediaEvent[] = []
  readonly commands: MediaCommand[] = []
  readonly events: CallEvent[] = []
  readonly heard: Int16Array[] = []
  media: MediaSession | undefined
  call!: RunningCall
  leg: LegId | undefined
  connected = true
  over: { reason: string; code?: string } | undefined
  joinedAt: number | undefined
  /** Told of this call as well: a journal. */
  watcher: CallObserver | undefined
  /** The group as the vault gave it last. */
  view: GroupView | undefined
  /** A hostile one's: the group as its vault keeps it. */
  group: LeakyVault['group'] | undefined
  /** What somebody is to it, by what it remembers. */
  meet: ConferenceOptions['meet']
  clock: Clock
  /** Of its tone; 0: it says nothing. */
  readonly hz: number
  /** Extra one-way latency of the channel, ms. */
  lagMs = 0
  /** The signalling thread and its group work stall: everything reaches them and leaves them later by this. Frames go on. */
  stallMs = 0
  #dialledAt = 0
  /** The channel is ordered. */
  readonly #free = { up: 0, down: 0, vault: 0 }

  constructor(world: ConferenceWorld, name: string, session: string, vault: Vault, identity: Person, host: SimHost, hz: number | undefined) {
    this.world = world
    this.name = name
    this.session = session
    this.vault = vault
    this.identity = identity
    this.keyId = toHex(world.crypto.hash('sha256', identity.signer.spki))
    this.host = host
    this.hz = hz ?? 0
    this.clock = world.clock
    if (world.withMedia) {
      this.media = createMediaSession({
        udp: host, scheduler: world.clock, crypto: world.crypto, codecs: codecFactory(), vault,
        emit: (e) => {
          if (e.op === 'phone.heard') this.heard.push(e.pcm)
          else {
            this.mediaEvents.push(e)
            this.call?.onMedia(e)
          }
        },
      })
    }
  }
  /** The room, dialled. */
  dial(): void {
    const { world } = this
    this.#dialledAt = world.clock.now()
    this.heard.length = 0
    const kind = conferenceKind({
      sha256: (b) => world.crypto.hash('sha256', b), chance: () => world.numbers.float(), unix: () => this.clock.unix(), ...(this.meet === undefined ? {} : { meet: this.meet }),
      newRoom: (room) => ({ ...world.policy, room: room as RoomName }),
    })
    this.media?.command({ op: 'phone.open', phone: 1, bind: '127.0.0.1', media: robot(this.hz === 0 ? undefined : this.hz) })
    this.over = undefined
    const observer: CallObserver = {
      onEvent: (call, e) => {
        this.events.push(e)
        this.watcher?.onEvent?.(call, e)
      },
      onJoined: () => {
        this.joinedAt = world.clock.now()
      },
      onOver: (call, reason, fault) => {
        this.watcher?.onOver?.(call, reason, fault)
        this.over = fault === undefined ? { reason } : { reason, code: fault.code }
      },
    }
    this.call = new RunningCall(1, world.room, 1, 1, kind.start({ kind: 'room', room: world.room }, { conference: 1, hop: 1, phone: 1 }), {
      vault: this.#stallingVault(), scheduler: world.clock,
      media: (c) => {
        this.commands.push(c)
        this.media?.command(c)
      },
      send: (m) => {
        if (this.connected) world.fromMember(this, m)
        return ok(undefined)
      },
    }, observer)
    this.call.input({ kind: 'start' })
  }
  /** Answers come late by the stall, and in order. */
  #stallingVault(): Vault {
    const call: Vault['call'] = async (name, input) => {
      const answer = await this.vault.call(name, input)
      if (answer.ok && 'view' in answer.value) this.view = answer.value.view
      if (this.stallMs > 0) await new Promise<void>((done) => this.later('vault', this.stallMs, done))
      return answer
    }
    return { call, frames: (b) => this.vault.frames(b), pipe: (o) => this.vault.pipe(o), close: () => this.vault.close() }
  }
  /** Runs `then` after the delay, in order with what went the same way before. */
  later(way: 'up' | 'down' | 'vault', delayMs: number, then: () => void): void {
    const { clock } = this.world
    this.#free[way] = Math.max(this.#free[way], clock.now() + delayMs)
    clock.at(instant(this.#free[way]), then)
  }
  /** Statements about revocation, as a client takes them. */
  learn(proofs: readonly RevocationProof[]): void {
    void this.vault.call('revocation.update', { proofs }).then((r) => {
      if (r.ok && r.value.changed && this.call !== undefined) this.call.input({ kind: 'recheck' })
    })
  }
  /** Hangs up. */
  leave(): void {
    this.call.input({ kind: 'leave' })
  }
  /** As a host: puts somebody out. */
  remove(other: WorldMember, ban = false): void {
    this.call.input({ kind: 'remove', leaf: this.leafOf(other), ban })
  }
  command(command: RoomCommand): void {
    this.call.input({ kind: 'command', command })
  }
  /** What its user was told of acts, notices and flags. */
  get told(): string[] {
    return this.roster.notes.filter((n) => n.code.startsWith('ROOM_')).map((n) => n.text)
  }
  /** What its client would have written to disk. */
  async memory(): Promise<Uint8Array> {
    const { rooms } = must(await this.vault.call('policy.known', {}))
    const { notices } = must(await this.vault.call('notice.known', {}))
    return encodeRooms({ policies: rooms.map((r) => r.signed), notices: notices.map((n) => n.bytes) })
  }
  get inRoom(): boolean {
    return this.roster.phase === 'member'
  }
  get roster(): Roster {
    return this.call.roster
  }
  /** Names on the roster, those still joining with a question mark. */
  get names(): string[] {
    return this.roster.members.map((m) => m.identity.subject + (m.state === 'joining' ? '?' : '')).sort()
  }
  get noteCodes(): string[] {
    return this.roster.notes.map((n) => n.code)
  }
  leafOf(other: WorldMember): number {
    return this.roster.members.find((m) => m.identity.subject === other.name)?.leaf ?? -1
  }
  /** What the phone played from one instant to another; it reports once a second. */
  heardBetween(fromMs: number, toMs: number): Int16Array {
    const first = Math.round((fromMs - this.#dialledAt) / 20) * 320
    const all = joinPcm(this.heard)
    const last = first + Math.round((toMs - fromMs) / 20) * 320
    if (first < 0 || last > all.length) throw new RangeError(`${this.name}: nothing recorded for ${fromMs}–${toMs}`)
    return all.subarray(first, last)
  }
}
