/** What members tell each other besides their streams: red flags, and block notices that the server must not be able to hide, and phones that can be overheard. */
import { toHex } from '../../../base/bytes.ts'
import { safeText } from '../../../model/identity.ts'
import type { PhoneLeg } from '../../../model/roster.ts'
import type { SaidWord } from './act-types.ts'
import { act } from './acts.ts'
import { heal } from './joining.ts'
import type { ConferenceState } from './state.ts'

/** Each member passes a notice on once, spread so that the room is not flooded. */
const GOSSIP_MS = 300
/** One member after the other commits the removal, until one was taken. */
const TURN_MS = 300
const TURNS = 8
/** The server refuses words of an epoch that is over. */
const SAY_AGAIN_MS = 5_000
const REPEATED = 16
const FLAG_LIMIT = 200
/** How long those who came wait for it at most. */
const LEG_MS = 2000
const GOSSIPED_KEPT = 2_000
/** As long as the vault goes on sealing (vault/inside/room-session.ts). */
const BLOCKED_STAYS_MS = 8_000

export function heardFlag(s: ConferenceState, leaf: number, text: string): void {
  s.event({ kind: 'flag', at: s.now, leaf, text })
}

export function raiseFlag(s: ConferenceState, said: string): void {
  const text = safeText(said, FLAG_LIMIT)
  const own = s.view?.ownLeaf
  if (own === undefined) return
  say(s, { kind: 'flag', text })
  s.event({ kind: 'flag', at: s.now, leaf: own, text })
}

/** Signs a notice, tells the server and everybody here, and has the one removed. */
export function block(s: ConferenceState, keyId: string, reason: string): void {
  s.ask('notice.sign', { kind: 'block', target: keyId, reason }, (r) => {
    if (!r.ok) return s.note(r.fault.code, r.fault.message)
    s.send({ k: 'notice', notice: r.value.notice.bytes })
    heardNotice(s, r.value.notice.bytes, 'ourselves')
  })
}

/** From the server, a member, ourselves, or as the reason of a removal: believed by its signature alone. */
export function heardNotice(s: ConferenceState, bytes: Uint8Array, from: 'outside' | 'ourselves' | 'removal' = 'outside'): void {
  const own = from === 'ourselves'
  const id = toHex(s.options.sha256(bytes))
  if (s.gossiped.has(id)) return
  s.ask('notice.learn', { notice: bytes }, (r) => {
    if (!r.ok) return s.note(r.fault.code, r.fault.message)
    if (s.gossiped.has(id)) return
    if (s.gossiped.size >= GOSSIPED_KEPT) s.gossiped.delete(s.gossiped.values().next().value!)
    s.gossiped.add(id)
    const { notice, hits, news, heeded } = r.value
    const hit = hits.find((h) => h.session === s.session)
    // Whose word counts nothing here must not look as if it did, nor be carried on by everybody.
    if (s.session !== undefined && !heeded.includes(s.session)) return own ? s.note('MLS_NOT_OWNER', 'your notice counts in rooms that you own, and not in this one') : undefined
    // An old word about somebody who is not here is of no interest in this room.
    if (!news && from === 'outside' && hit === undefined) return
    const name = s.names.get(notice.target)
    s.event({ kind: 'notice', at: s.now, notice, ...(name === undefined ? {} : { name }) })
    s.toGossip.push(notice.bytes)
    s.toRepeat = [...s.toRepeat, notice.bytes].slice(-REPEATED)
    s.after('gossip', own ? 0 : GOSSIP_MS * s.options.chance(), () => passOn(s))
    if (hit === undefined || s.view === undefined) return
    const turn = s.view.members.filter((m) => m.identity.keyId !== notice.target).findIndex((m) => m.self)
    if (turn < 0) return
    act(s, { act: 'blocked', notice }, own ? 0 : TURN_MS * (1 + (turn % TURNS)))
    s.after('blocked', BLOCKED_STAYS_MS, () => stillThere(s, notice.bytes))
  })
}

function passOn(s: ConferenceState): void {
  for (const notice of s.toGossip.splice(0)) say(s, { kind: 'notice', notice })
}

/** The vault seals nothing more by now. */
function stillThere(s: ConferenceState, notice: Uint8Array): void {
  // Asked once more: the block may have been lifted.
  s.ask('notice.learn', { notice }, (r) => {
    if (!r.ok || !r.value.hits.some((h) => h.session === s.session)) return
    s.media({ op: 'conference.send', conference: s.options.media.conference, on: false })
    heal(s, 'CLIENT_BLOCKED_STAYS', 'stopped sending: somebody who is blocked was not removed, the server may be hiding it')
  })
}

function say(s: ConferenceState, word: SaidWord, at = s.now): void {
  const { session } = s
  if (session === undefined || s.phase !== 'member') return
  s.said = [...s.said.filter((x) => x.word !== word && s.now - x.at < SAY_AGAIN_MS), { word, at }]
  s.enqueue((done) => {
    s.ask('room.say', { session, word }, (r) => {
      if (s.session !== session) return
      if (r.ok && s.view !== undefined) s.send({ k: 'room-message', room: s.options.room, epoch: s.view.epoch, message: r.value.message })
      else if (!r.ok) s.note(r.fault.code, r.fault.message)
      done()
    })
  })
}

/** The room was in another epoch than our words. */
export function sayAgain(s: ConferenceState): void {
  for (const { word, at } of s.said.filter((x) => s.now - x.at < SAY_AGAIN_MS)) say(s, word, at)
}

/** Said where it is worth knowing, or was: once for all that came in that time, since in a large room many come together. */
export function sayLeg(s: ConferenceState): void {
  if (s.phoneLeg === undefined || s.waiting('leg') || (s.phoneLeg !== 'plain-lan' && s.legSaid === undefined)) return
  s.after('leg', LEG_MS * s.options.chance(), () => {
    const leg = s.phoneLeg
    if (leg === undefined || s.phase !== 'member') return
    s.legSaid = leg
    say(s, { kind: 'leg', leg })
  })
}
/** Nobody knows anything of us yet. */
export function entered(s: ConferenceState): void {
  s.legSaid = undefined
  sayLeg(s)
}
export function phoneIs(s: ConferenceState, leg: PhoneLeg): void {
  s.phoneLeg = leg
  if (s.phase === 'member') sayLeg(s)
}
/** Shown as often as it changes, and news once: whoever goes back and forth would have every phone speak without end. */
export function heardLeg(s: ConferenceState, leaf: number, leg: PhoneLeg): void {
  const member = s.roster.members.find((m) => m.leaf === leaf && !m.self)
  if (member === undefined || member.phoneLeg === leg) return
  const here = new Set(s.roster.members.map((m) => m.identity.keyId))
  for (const key of s.legsHeard.keys()) if (!here.has(key)) s.legsHeard.delete(key)
  const said = s.legsHeard.get(member.identity.keyId) ?? new Set()
  s.event({ kind: 'phone-leg', at: s.now, leaf, leg, ...(said.has(leg) ? { again: true } : {}) })
  s.legsHeard.set(member.identity.keyId, said.add(leg))
}

/** For those who came in by our commit: what they may not have heard. */
export function tellNewcomers(s: ConferenceState): void {
  for (const notice of s.toRepeat) say(s, { kind: 'notice', notice })
}
