/** The server without sockets and threads: sessions, rooms and routes over whatever transports it is given. */
import { instant, type UnixTime } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import type { MessageTransport } from '../base/message-transport.ts'
import { type CoreOptions, Attestation, Meetings, Revocation, Rings, Shelf } from './core-options.ts'
import { handle } from './families/index.ts'
import { LimitedLog } from './log.ts'
import type { ClientLegs, PbxPort } from './pbx/port.ts'
import { Rooms } from './rooms.ts'
import type { Guest, PhonesPort, SipPort } from './sip/port.ts'
import { Routes } from './routes.ts'
import { type Peer, Session, sessionLink } from './session.ts'
import { SsrcAllocator } from './ssrc.ts'

/** A client must greet in time. */
const HELLO_MS = 10_000
/** What a client did not take of revocation, or had no room for, it hears again with the first change after this. */
const RETELL_MS = 3_600_000

export class ServerCore {
  readonly options: CoreOptions
  readonly ssrcs: SsrcAllocator
  readonly routes: Routes
  readonly rooms: Rooms
  readonly rings: Rings
  readonly shelf: Shelf
  readonly refusals: LimitedLog
  readonly revocation: Revocation
  readonly attestation: Attestation
  readonly meetings = new Meetings((session, m) => this.#sessions.get(session)?.send(m), (session) => this.#sessions.get(session)?.keyId ?? session)
  /** The telephone system behind this server, when there is one. */
  pbx: PbxPort | undefined
  /** The relay to its extensions, when there is one. */
  sip: SipPort | undefined
  /** Phones that come to the PBX by themselves, where that is allowed. */
  phones: PhonesPort | undefined
  /** Whose client stands behind a leg of Asterisk: the SIP relay's word. */
  legs: ClientLegs = { find: () => undefined, isOrphan: () => false }
  readonly #sessions = new Map<string, Session>()

  constructor(options: CoreOptions) {
    this.options = options
    this.ssrcs = new SsrcAllocator(options.crypto, options.plane.workers)
    this.shelf = options.shelf ?? new Shelf({ crypto: options.crypto, clock: options.scheduler, realm: options.realm, authorities: [] })
    this.refusals = new LimitedLog(options.log, options.scheduler)
    this.revocation = options.revocation ?? new Revocation()
    this.revocation.onChange((news) => this.#recheck(news))
    this.attestation = options.attestation ?? new Attestation()
    this.attestation.onChange(() => this.#endorse())
    this.routes = new Routes(options.plane, (session) => this.#sessions.get(session)?.leg, options.forwarding)
    this.rings = new Rings(options.scheduler, () => this.#sessions.values())
    this.rooms = new Rooms({
      scheduler: options.scheduler, limits: options.roomLimits, maximum: options.maximumRooms, ssrcs: this.ssrcs, workers: options.plane.workers, routes: this.routes, log: options.log,
      send: (session, m) => this.#sessions.get(session)?.send(m), policyOf: (room) => this.shelf.policyOf(room),
    })
  }
  get sessions(): ReadonlyMap<string, Session> {
    return this.#sessions
  }

  /** Who stands behind a leg of the telephone system. */
  guest(session: string): Guest | undefined {
    return this.#sessions.get(session) ?? this.phones?.who(session)
  }

  /** A client whose certificate was verified; its session ends with the certificate, or when `stillGood` fails. */
  connect(peer: Peer, transport: MessageTransport, validUntil: UnixTime, stillGood?: Session['stillGood']): void {
    const { scheduler, log, crypto } = this.options
    const link = sessionLink(transport, scheduler)
    const session = new Session(toHex(crypto.bytes(16)), peer, link, scheduler.now())
    this.#sessions.set(session.id, session)
    if (stillGood !== undefined) session.stillGood = stillGood
    const who = { session: session.id.slice(0, 8), key: peer.identity.keyId.slice(0, 16), remote: peer.remote.address }
    log.info({ ...who, subject: peer.identity.subject }, 'connected')
    const cancelHello = scheduler.at(instant(scheduler.now() + HELLO_MS), () => {
      if (!session.greeted) link.fail('CHANNEL_ORDER', 'no hello')
    })
    const cancelExpiry = scheduler.at(instant(scheduler.now() + Math.max(0, validUntil - scheduler.unix()) * 1000 + 1000), () => link.fail('IDENTITY_EXPIRED', peer.identity.subject))
    session.onUnsent = (fault) => this.refusals.warn(fault.code, who, `not sent: ${fault.message}`)
    link.onViolation = (fault) => session.fault(fault)
    link.onClose((fault) => {
      cancelHello()
      cancelExpiry()
      this.#end(session)
      if (fault.code === 'CHANNEL_CLOSED') log.info(who, 'disconnected')
      else this.refusals.warn(fault.code, who, fault.message)
    })
    link.onMessage((m) => handle(this, session, m))
  }
  /** Ends every session. */
  stop(): void {
    for (const s of this.#sessions.values()) s.link.close()
    this.rings.stop()
    this.rooms.stop()
  }

  /** Revocation changed: whoever is revoked goes, the others are told: the news, and once an hour all that holds. */
  #recheck(news: ReturnType<Revocation['updates']>): void {
    this.phones?.recheck()
    const now = this.options.scheduler.now()
    let all: typeof news | undefined
    for (const s of [...this.#sessions.values()]) {
      const good = s.stillGood()
      if (!good.ok) s.link.fail(good.fault.code, s.peer.identity.subject)
      else if (s.wantsRevocation) {
        const again = now - s.toldAllAt >= RETELL_MS
        if (again) s.toldAllAt = now
        for (const u of again ? (all ??= this.revocation.updates()) : news) s.send(u)
      }
    }
  }

  /** Intel has said something new about platforms. */
  #endorse(): void {
    const updates = this.attestation.updates()
    for (const s of this.#sessions.values()) if (s.wantsAttestation) for (const u of updates) s.send(u)
  }

  #end(session: Session): void {
    const { plane } = this.options
    this.rooms.gone(session)
    this.sip?.gone(session)
    this.meetings.gone(session.id)
    this.#sessions.delete(session.id)
    // It tells others at once who is there: not this one any more.
    this.pbx?.gone(session)
    this.rings.gone(session)
    session.mediaPath?.close()
    if (session.leg !== undefined) plane.close(session.leg)
    session.leg = undefined
  }
}
