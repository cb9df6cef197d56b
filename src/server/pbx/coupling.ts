/** The coupling to Asterisk: its events keep the picture, its questions are answered, hosts' acts are carried out. */
import { toHex } from '../../base/bytes.ts'
import { instant } from '../../base/brand.ts'
import { err, type Fault, type Result } from '../../base/result.ts'
import type { AmiField, AmiMessage } from '../../protocol/asterisk/index.ts'
import type { ClientWire } from '../../protocol/wire/messages.ts'
import type { Session } from '../session.ts'
import * as admission from './admission.ts'
import { Announcer } from './announcer.ts'
import { conferenceRules, isHost } from './config.ts'
import type { CouplingOptions } from './coupling-options.ts'
import { identify } from './identify.ts'
import { Life } from './life.ts'
import { endOrphans } from './orphans.ts'
import { Picture } from './picture.ts'

/** A client's relay ends its calls itself; what is left is ended for it. */
const ORPHAN_MS = 1500
const ACTIONS = { mute: 'ConfbridgeMute', unmute: 'ConfbridgeUnmute', kick: 'ConfbridgeKick', lock: 'ConfbridgeLock', unlock: 'ConfbridgeUnlock' } as const

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
    this.picture = new Picture(options, (conference) => this.#announcer.changed(conference), () => this.#tellSecret())
    this.#life = new Life({ scheduler: options.scheduler, action: options.action, relay: options.relay, gone: (reason) => this.#gone(reason) })
    this.#announcer = new Announcer({
      scheduler: options.scheduler, session: options.session, conference: (name) => this.picture.conferences.get(name),
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
    void endOrphans(this.#o).then((n) => n > 0 && this.#o.log.info({ legs: n }, 'ended legs that nobody knows of any more'))
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
    const leg = await identify(this.#o.legs(), call.request.channel, admission.readFrom(call))
    const session = leg === undefined ? undefined : this.#o.session(leg.session)
    const refused = admission.mayEnter(conferenceRules(this.#o.config, conference), session?.peer.identity, this.picture.current)
    const who = { conference, channel: call.request.channel.slice(0, 80), ...(session === undefined ? {} : { key: session.keyId.slice(0, 16) }) }
    if (refused === undefined) {
      this.#o.log.info(who, 'let into a conference')
      this.picture.expect(call.request.uniqueId, leg)
      await admission.tellAdmitted(call, admission.admissionToken(this.#o.crypto, this.#secret, call.request.uniqueId, conference))
    } else {
      this.#o.refusals.warn(refused.code, who, refused.message)
      await admission.tellRefused(call, refused)
    }
  }

  act(session: Session, m: ClientWire['pbx-act']): void {
    void this.#act(session, m).then((done) => {
      if (!done.ok) session.fault(done.fault, m.conference)
    })
  }
  async #act(session: Session, m: ClientWire['pbx-act']): Promise<Result<unknown>> {
    const mine = this.picture.of(session.id).find((p) => p.conference.name === m.conference)
    if (mine === undefined) return err('PBX_NO_CONFERENCE', m.conference)
    const host = isHost(this.#o.config, m.conference, session.peer.identity)
    const fields: AmiField[] = [['Conference', m.conference]]
    if (m.act !== 'lock' && m.act !== 'unlock') {
      const member = [...mine.conference.members.values()].find((x) => x.id === m.member)
      if (member === undefined) return err('PBX_NO_MEMBER')
      // Everybody may mute and remove itself.
      if (member.leg?.session !== session.id && !host) return err('PBX_NOT_HOST')
      fields.push(['Channel', member.channel])
    } else if (!host) return err('PBX_NOT_HOST')
    const done = await this.#o.action(ACTIONS[m.act], ...fields)
    this.#o.log.info({ conference: m.conference, act: m.act, key: session.keyId.slice(0, 16), ...(done.ok ? {} : { code: done.fault.code }) }, 'a host acts')
    if (done.ok && (m.act === 'lock' || m.act === 'unlock')) {
      mine.conference.locked = m.act === 'lock'
      this.#announcer.changed(m.conference)
    }
    return done
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
