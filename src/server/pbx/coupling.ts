/** The coupling to Asterisk: its events keep the picture, its questions are answered, hosts' acts are carried out. */
import { toHex } from '../../base/bytes.ts'
import { instant } from '../../base/brand.ts'
import type { Fault, Result } from '../../base/result.ts'
import type { AmiMessage } from '../../protocol/asterisk/index.ts'
import type { Session } from '../session.ts'
import { carryOut, type PbxActMessage } from './acts.ts'
import * as admission from './admission.ts'
import { Announcer } from './announcer.ts'
import { conferenceRules, isHost } from './config.ts'
import type { CouplingOptions } from './coupling-options.ts'
import { Life } from './life.ts'
import { Picture, type Present } from './picture.ts'

/** A client's relay ends its calls itself; what is left is ended for it. */
const ORPHAN_MS = 1500
/** Asterisk that was slow for a moment is seen again within less; a caller hears silence meanwhile. */
const SIGHT_MS = 2000

/** A `PbxPort`. */
export class Coupling {
  readonly #o: CouplingOptions
  readonly picture: Picture
  readonly #announcer: Announcer
  readonly #secret: string
  readonly #life: Life

  constructor(options: CouplingOptions) {
    this.#o = options
    this.#secret = toHex(options.crypto.bytes(32))
    this.picture = new Picture(options, (conference) => this.#announcer.changed(conference), () => this.#tellSecret(), (conference, m) => this.#mayStay(conference, m))
    this.#life = new Life({ ...options, gone: (reason) => this.#gone(reason) })
    this.#announcer = new Announcer({
      scheduler: options.scheduler, session: options.session, guest: options.guest, conference: (name) => this.picture.conferences.get(name),
      isRecorded: (m) => this.picture.isRecorded(m), isHost: (c, s) => isHost(options.config, c, s.peer.identity), current: () => this.picture.current,
    })
  }

  /** Calls to it are refused at once. */
  get dead(): boolean {
    return this.#life.dead
  }
  onUp(): void {
    void this.#life.up()
    void this.picture.look()
  }
  onDown(fault: Fault): void {
    this.#o.refusals.warn(fault.code, {}, fault.message)
    this.picture.lost()
    this.#life.down(fault)
  }
  #gone(reason: string): void {
    this.#o.log.warn({ code: 'PBX_GONE' }, reason)
    this.#o.relay()?.pbxGone(reason)
    this.picture.over()
  }
  onEvent(e: AmiMessage): void {
    const uptime = e.event === 'FullyBooted' ? e.get('Uptime') : undefined
    if (uptime !== undefined) this.#life.uptime(Number(uptime))
    // Its global variables are gone, or may be.
    if (e.event === 'FullyBooted' || e.event === 'Reload') return void this.picture.look()
    this.picture.event(e)
  }
  stop(): void {
    this.picture.stop()
    this.#announcer.stop()
    this.#life.stop()
  }

  /** Again and again: a reload of the dialplan may have cleared it, and says nothing. */
  #tellSecret(): Promise<Result<unknown>> {
    return this.#o.action('Setvar', ['Variable', admission.SECRET_VARIABLE], ['Value', this.#secret])
  }

  /** One question of Asterisk. */
  async admit(call: admission.AgiCall): Promise<void> {
    const conference = admission.conferenceAsked(call)
    if (conference === undefined) return this.#o.refusals.warn('PBX_SYNTAX', { script: call.request.script.slice(0, 40) }, 'an AGI session that asks for nothing of ours')
    const leg = await admission.whose(call, this.#o.legs())
    const seeing = await this.picture.seen(SIGHT_MS)
    const guest = leg === undefined ? undefined : this.#o.guest(leg.session)
    const refused = admission.mayEnter(conferenceRules(this.#o.config, conference), guest?.peer.identity, seeing)
    const who = { conference, channel: call.request.channel.slice(0, 80), ...(guest === undefined ? {} : { key: guest.keyId.slice(0, 16) }) }
    if (refused === undefined) {
      this.#o.log.info(who, 'let into a conference')
      this.picture.expect(call.request.uniqueId, leg)
      await admission.tellAdmitted(call, admission.admissionToken(this.#o.crypto, this.#secret, call.request.uniqueId, conference))
    } else {
      this.#o.refusals.warn(refused.code, who, refused.message)
      await admission.tellRefused(call, refused)
    }
  }

  /** Who was transferred into a conference, or came past the question, is under the same rules as who asks. */
  #mayStay(conference: string, m: Present): void {
    const guest = m.leg === undefined ? undefined : this.#o.guest(m.leg.session)
    const refused = admission.mayEnter(conferenceRules(this.#o.config, conference), guest?.peer.identity, true)
    if (refused === undefined) return
    this.#o.refusals.warn(refused.code, { conference, channel: m.channel.slice(0, 80), ...(guest === undefined ? {} : { key: guest.keyId.slice(0, 16) }) }, `taken out of a conference that it did not ask to enter: ${refused.message}`)
    void this.#o.action('ConfbridgeKick', ['Conference', conference], ['Channel', m.channel]).then((kicked) => {
      // Until it is out: the next look tries again.
      if (!kicked.ok) m.asked = false
    })
  }

  act(session: Session, m: PbxActMessage): void {
    void carryOut(this.#o, this.picture, (c) => this.#announcer.changed(c), session, m).then((done) => {
      if (!done.ok) session.fault(done.fault, m.conference)
    })
  }
  /** The relay ends the calls of a client that is gone; a leg that it left behind is ended here. */
  gone(session: Session): void {
    const left = this.picture.of(session.id)
    for (const { conference } of left) this.#announcer.changed(conference.name)
    if (left.length === 0) return
    this.#o.scheduler.at(instant(this.#o.scheduler.now() + ORPHAN_MS), () => {
      for (const { member } of this.picture.of(session.id)) void this.#o.action('Hangup', ['Channel', member.channel])
    })
  }
}
