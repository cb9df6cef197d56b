/**
 * Membership of one sealed room: joining → member → healing → left. Key schedule is the vault's,
 * sound is the media thread's; this machine only says what comes next (docs/architecture.md).
 */
import type { Instant } from '../../../base/brand.ts'
import type { ServerMessage } from '../../../protocol/wire/messages.ts'
import type { CallIn, CallMachine, CallOut, RoomCommand } from '../../call.ts'
import { recheck, watchCertificates } from './certificates.ts'
import { Hearing } from './hearing.ts'
import { act, removeMember } from './acts.ts'
import { ask, forgetSession, heal, onClosed, onCreated, onInfo, onQueued, onRefused, onWaiting, onWelcome } from './joining.ts'
import { onKnock, onKnockOver } from './lobby.ts'
import { onFault, onMessage, onNominate, onOrdered, onPassed, onSettled, onStands, onVoid } from './member.ts'
import { block, entered, heardNotice, phoneIs, raiseFlag } from './words.ts'
import { type ConferenceOptions, ConferenceState } from './state.ts'

export class ConferenceMachine implements CallMachine {
  readonly #s: ConferenceState
  readonly #hearing = new Hearing()

  constructor(options: ConferenceOptions) {
    this.#s = new ConferenceState(options)
  }

  step(input: CallIn, now: Instant): { readonly out: readonly CallOut[]; readonly wakeAt?: Instant } {
    const s = this.#s
    s.now = now
    const outside = s.phase !== 'member'
    if (input.kind === 'vault') s.answered(input.ref, input.result)
    else if (s.phase !== 'left') this.#handle(input)
    s.runDueTimers()
    if (outside && s.phase === 'member') entered(s)
    watchCertificates(s)
    const out = s.out
    s.out = []
    const wakeAt = s.wakeAt
    return wakeAt === undefined ? { out } : { out, wakeAt }
  }

  #handle(input: Exclude<CallIn, { kind: 'vault' }>): void {
    const s = this.#s
    switch (input.kind) {
      case 'start':
        s.startedAt = s.now
        s.event({ kind: 'phase', phase: 'joining', at: s.now })
        return ask(s)
      case 'wire':
        return this.#wire(input.message)
      case 'media':
        return this.#hearing.onMedia(s, input.event)
      case 'channel':
        return this.#channel(input.up, input.reason)
      case 'mute':
        s.muted = input.muted
        s.note(input.muted ? 'CLIENT_MUTED' : 'CLIENT_UNMUTED', input.muted ? 'you are muted' : 'you can be heard again')
        if (s.view !== undefined) s.media({ op: 'conference.mute', conference: s.options.media.conference, muted: input.muted })
        return
      case 'phone':
        s.phone = input.phone
        if (s.view !== undefined) s.media({ op: 'conference.phone', conference: s.options.media.conference, phone: input.phone })
        return
      case 'phone-leg':
        return phoneIs(s, input.leg)
      case 'command':
        return this.#command(input.command)
      case 'remove':
        return removeMember(s, input.leaf, input.ban)
      case 'recheck':
        return recheck(s)
      case 'leave':
        return this.#leave()
      case 'tick':
      case 'act':
        return
    }
  }

  #command(c: RoomCommand): void {
    const s = this.#s
    if (s.phase !== 'member') return s.note('CLIENT_NOT_IN_ROOM', 'you are not in the room')
    switch (c.do) {
      case 'decide': return act(s, { act: 'decide', decision: c.decision })
      case 'amend': return act(s, { act: 'amend', change: c.change })
      case 'hand-over': return act(s, { act: 'amend', change: {}, handTo: c.keyId })
      case 'remove': return act(s, { act: 'remove', keyId: c.keyId, ban: c.ban })
      case 'flag': return raiseFlag(s, c.text)
      case 'block': return block(s, c.keyId, c.reason)
    }
  }

  #wire(m: ServerMessage): void {
    const s = this.#s
    if ('room' in m && m.room !== s.options.room) return
    switch (m.k) {
      case 'room-info': return onInfo(s, m)
      case 'room-created': return onCreated(s, m)
      case 'room-queued': return onQueued(s, m)
      case 'room-welcome': return onWelcome(s, m)
      case 'room-refused': return onRefused(s, m)
      case 'room-nominate': return onNominate(s, m)
      case 'room-passed': return onPassed(s)
      case 'room-ordered': return onOrdered(s, m)
      case 'room-stands': return onStands(s, m)
      case 'room-settled': return onSettled(s, m)
      case 'room-void': return onVoid(s, m)
      case 'room-message': return onMessage(s, m)
      case 'room-waiting': return onWaiting(s)
      case 'room-knock': return onKnock(s, m)
      case 'room-knock-over': return onKnockOver(s, m)
      case 'notice': return heardNotice(s, m.notice)
      case 'room-reset': return heal(s, 'CLIENT_NEW_GENERATION', m.reason)
      case 'room-closed': return onClosed(s, m)
      case 'fault': return onFault(s, m)
      default: return
    }
  }

  /** A new connection means new hop keys and a place in no room: we ask again. */
  #channel(up: boolean, reason = 'the connection to the server is gone'): void {
    const s = this.#s
    if (up) {
      if (s.phase === 'healing') s.after('retry', 0, () => ask(s))
    } else {
      heal(s, 'CLIENT_CHANNEL_LOST', reason)
      s.cancel('retry')
    }
  }

  #leave(): void {
    const s = this.#s
    const session = s.session
    const finish = (evidence?: Uint8Array): void => {
      s.send({ k: 'room-leave', room: s.options.room, ...(evidence === undefined ? {} : { evidence }) })
      forgetSession(s)
      s.over('left')
    }
    if (session === undefined || s.phase !== 'member') return finish()
    s.media({ op: 'conference.send', conference: s.options.media.conference, on: false })
    s.ask('room.leave', { session }, (r) => {
      if (s.phase !== 'left') finish(r.ok ? r.value.evidence : undefined)
    })
  }
}
