/** The picture of Asterisk's conferences and what clients are told of it, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Instant } from '../../../../src/base/brand.ts'
import { PbxWorld } from '../../../kit/pbx-world.ts'

async function conference(): Promise<PbxWorld> {
  const w = new PbxWorld({ default: { hosts: ['cn:Host'] } })
  w.session('anna', { host: true })
  w.session('bert')
  w.connect()
  await w.clock.advance(50)
  return w
}
const join = (w: PbxWorld, who: string, room = '800') => w.join(w.channel(who, who), room)

test('the first is told at once who it is alone with, later ones within the 300 ms of the issue, whatever comes at once', async () => {
  const w = await conference()
  const [anna, bert] = [w.sessions.get('anna')!, w.sessions.get('bert')!]
  const began = w.clock.now()
  join(w, 'anna')
  await w.clock.advance(300)
  assert.equal(anna.sees, 'anna')
  assert.ok(anna.rosters[0]!.at - began <= 20, `${anna.rosters[0]!.at - began} ms: who it is was asked of Asterisk`)
  assert.deepEqual(anna.kinds().slice(0, 2), ['pbx-certificate', 'pbx-roster'], 'the certificate comes before the first roster that names it')
  for (let i = 0; i < 30; i++) {
    const at = w.clock.now()
    const strangers = Array.from({ length: 1 + (i % 4) }, (_, k) => w.join(w.channel(`plain-${i}-${k}`)))
    if (i === 7) join(w, 'bert')
    await w.clock.advance(300)
    assert.ok(anna.rosters.some((r) => r.at >= at && strangers.every((c) => r.m.members.some((m) => m.number === c.number))), `${i}`)
    if (i > 7) assert.equal(bert.sees, anna.sees)
  }
  // One member of each change stands for the rest: gathered, not one message for each.
  const at = w.clock.now()
  const before = anna.rosters.length
  for (let k = 0; k < 20; k++) w.join(w.channel(`crowd-${k}`))
  await w.clock.advance(300)
  assert.ok(anna.rosters.length - before <= 4, `${anna.rosters.length - before} rosters for 20 changes`)
  assert.ok(anna.rosters.at(-1)!.at - at <= 300)
})

test('Asterisk takes long to say who it is: that somebody came is told all the same', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  join(w, 'anna')
  await w.clock.advance(300)
  w.delayMs = 400
  const at = w.clock.now()
  w.join(w.channel('bert', 'bert'))
  await w.clock.advance(300)
  assert.equal(anna.sees, 'anna,unverified bert')
  assert.ok(anna.rosters.at(-1)!.at - at <= 300)
  await w.clock.advance(2000)
  assert.equal(anna.sees, 'anna,bert')
})

test('whoever is not in the conference, or does not understand it, is told nothing; whoever leaves is told that', async () => {
  const w = await conference()
  const old = w.session('old', { capabilities: [] })
  const [anna, bert] = [w.sessions.get('anna')!, w.sessions.get('bert')!]
  const a = join(w, 'anna')
  join(w, 'old')
  join(w, 'bert', '801')
  await w.clock.advance(300)
  assert.deepEqual([anna.sees, bert.sees, old.got.length], ['anna,old', 'bert', 0])
  w.leave(a)
  await w.clock.advance(300)
  assert.equal(anna.kinds().at(-1), 'pbx-left')
  assert.equal(anna.rosters.every((r) => r.m.conference === '800'), true)
  // A call that begins anew gets all certificates again.
  const certificates = anna.kinds().filter((k) => k === 'pbx-certificate').length
  w.join(w.channel('anna', 'anna'))
  await w.clock.advance(300)
  assert.equal(anna.kinds().filter((k) => k === 'pbx-certificate').length, certificates * 2)
})

test('events that were missed are caught up with by the next look, numbers of those who stay are kept', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  join(w, 'anna')
  const carl = w.join(w.channel('carl'))
  await w.clock.advance(300)
  const annas = anna.rosters.at(-1)!.m.members.find((m) => m.key !== undefined)!.id
  w.join(w.channel('dora'), '800', false)
  w.leave(carl, '800', false)
  await w.clock.advance(2300)
  assert.equal(anna.sees, 'anna,unverified dora')
  assert.equal(anna.rosters.at(-1)!.m.members.find((m) => m.key !== undefined)!.id, annas)
  // An event of somebody unknown says that something was missed: the look comes at once.
  const emil = w.channel('emil')
  w.join(w.channel('fred'), '800', false)
  const at = w.clock.now()
  w.event('ConfbridgeMute', { Conference: '800', Channel: emil.channel, Uniqueid: emil.uniqueId })
  await w.clock.advance(300)
  assert.equal(anna.sees, 'anna,unverified dora,unverified fred')
  assert.ok(anna.rosters.at(-1)!.at - at < 300)
  w.join(w.channel('gerd'), '800', false)
  w.event('ConfbridgeLeave', { Conference: '800', Channel: emil.channel, Uniqueid: emil.uniqueId })
  await w.clock.advance(300)
  assert.match(anna.sees, /gerd/)
})

test('AMI is lost: told at once that the list is old; back again: the list of now', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  join(w, 'anna')
  const carl = w.join(w.channel('carl'))
  await w.clock.advance(300)
  w.lose()
  await w.clock.advance(100)
  assert.deepEqual([anna.rosters.at(-1)!.m.current, anna.sees], [false, 'anna,unverified carl'])
  w.leave(carl)
  await w.clock.advance(5000)
  assert.deepEqual(w.gone, [], 'calls go on')
  w.connect()
  await w.clock.advance(300)
  assert.deepEqual([anna.rosters.at(-1)!.m.current, anna.sees], [true, 'anna'])
})

test('Asterisk was started anew, or is dead: conferences are over, and the relay ends the calls', async () => {
  for (const how of ['anew', 'dead'] as const) {
    const w = await conference()
    const anna = w.sessions.get('anna')!
    join(w, 'anna')
    await w.clock.advance(300)
    w.answersSip = false
    w.restart()
    w.lose()
    if (how === 'anew') w.connect()
    await w.clock.advance(1500)
    assert.equal(w.gone.length, 1)
    assert.match(w.gone[0]!, how === 'anew' ? /started anew/ : /does not answer/)
    assert.equal(anna.kinds().at(-1), 'pbx-left')
    assert.equal(w.coupling.dead, how === 'dead')
    w.coupling.stop()
  }
})

test('legs that a server of before left behind are hung up: those that lead to us and are of no call that we know', async () => {
  const w = await conference()
  w.lose()
  const [before, ours, plain] = [w.channel('before', 'bert'), w.channel('ours', 'bert'), w.channel('plain')]
  w.calls.push(before, ours, plain)
  w.known.add(`call-${ours.uniqueId}`)
  w.connect()
  // It is only just being made.
  const fresh = w.channel('fresh', 'bert')
  w.calls.push(fresh)
  await w.clock.advance(500)
  assert.equal(w.calls.length, 4, 'two looks')
  w.known.add(`call-${fresh.uniqueId}`)
  const newer = w.channel('newer', 'bert')
  w.calls.push(newer)
  await w.clock.advance(1500)
  assert.deepEqual(w.calls.map((c) => c.number), ['ours', 'plain', 'fresh', 'newer'], 'seen once only')
  w.known.add(`call-${newer.uniqueId}`)
  await w.clock.advance(40_000)
  assert.equal(w.calls.length, 4)
  w.coupling.stop()
})

test('a leg whose BYE never came through is found by a later look, and what was asked of a channel once is not asked again', async () => {
  const w = await conference()
  const ours = w.channel('ours', 'bert')
  w.calls.push(ours)
  w.known.add(`call-${ours.uniqueId}`)
  await w.clock.advance(31_000)
  const asked = (): number => w.asked.filter((a) => a.startsWith(`Getvar ${ours.channel} `)).length
  assert.deepEqual([w.calls.length, asked()], [1, 3])
  await w.clock.advance(30_000)
  assert.equal(asked(), 3)
  w.known.clear()
  await w.clock.advance(32_000)
  assert.equal(w.calls.length, 0)
  const looks = (): number => w.asked.filter((a) => a === 'CoreShowChannels').length
  const before = looks()
  w.lose()
  await w.clock.advance(120_000)
  assert.equal(looks(), before, 'nobody is asked while it is gone')
  w.coupling.stop()
})

test('Asterisk is met for the first time and runs for a shorter time than our oldest call', async () => {
  const w = await conference()
  await w.clock.advance(60_000)
  w.since = 10_000 as Instant
  w.event('FullyBooted', { Uptime: '55', LastReload: '55' })
  assert.deepEqual(w.gone, [])
  w.event('FullyBooted', { Uptime: '20', LastReload: '20' })
  assert.equal(w.gone.length, 1)
  w.coupling.stop()
})

test('a client that is gone: nobody vouches for its leg, which is ended after a moment', async () => {
  const w = await conference()
  const [anna, bert] = [w.sessions.get('anna')!, w.sessions.get('bert')!]
  join(w, 'anna')
  join(w, 'bert')
  await w.clock.advance(300)
  w.sessions.delete('bert')
  w.coupling.gone(bert.real)
  await w.clock.advance(300)
  assert.equal(anna.sees, 'anna,unverified bert')
  await w.clock.advance(1700)
  assert.equal(anna.sees, 'anna')
})

test('recording: of a member as long as any of its recorders runs, of the conference, and known again after a restart of ours', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  join(w, 'anna')
  const carl = w.join(w.channel('carl'))
  const recorded = (): boolean => anna.rosters.at(-1)!.m.members.some((m) => m.recorded === true)
  const tell = async (event: string): Promise<void> => {
    w.event(event, { Channel: carl.channel })
    await w.clock.advance(300)
  }
  for (const event of ['MixMonitorStart', 'MixMonitorStart', 'MixMonitorStop']) await tell(event)
  assert.equal(recorded(), true)
  await tell('MixMonitorStop')
  assert.equal(recorded(), false)
  w.event('ConfbridgeRecord', { Conference: '800' })
  await w.clock.advance(300)
  assert.equal(anna.rosters.at(-1)!.m.recorded, true)
  const again = new PbxWorld()
  const bert = again.session('bert')
  const channel = again.join(again.channel('bert', 'bert'), '800', false)
  again.variables.set(`${channel.channel} MIXMONITOR_FILENAME`, '/somewhere.wav')
  again.connect()
  await again.clock.advance(300)
  assert.equal(bert.rosters.at(-1)!.m.members[0]!.recorded, true)
})

test('a conference that is recorded is shown so where the event was missed: at a start, after a cut; so is the end of it', async () => {
  const w = new PbxWorld()
  const anna = w.session('anna')
  const shown = (): boolean => anna.rosters.at(-1)!.m.recorded
  w.known.add(`call-${w.join(w.channel('anna', 'anna'), '8-0', false).uniqueId}`)
  w.join(w.channel('carl'), '801', false)
  w.recorded.add('8-0')
  w.connect()
  await w.clock.advance(300)
  assert.deepEqual([shown(), anna.rosters.at(-1)!.m.conference], [true, '8-0'])
  w.lose()
  w.recorded.clear()
  w.recorded.add('801')
  await w.clock.advance(1000)
  assert.equal(shown(), true, 'nothing says that it has ended')
  w.connect()
  await w.clock.advance(300)
  assert.equal(shown(), false)
  // What an event tells stays until a look has seen the recorder and sees it no more.
  w.event('ConfbridgeRecord', { Conference: '8-0' })
  await w.clock.advance(5000)
  assert.equal(shown(), true)
  w.recorded.add('8-0')
  await w.clock.advance(2500)
  // More recorders than the answer has room for: whoever is missing in it may be recorded all the same.
  w.recorded.delete('8-0')
  for (let i = 0; i < 60; i++) w.recorded.add(`conference-${i}`)
  await w.clock.advance(2500)
  assert.equal(shown(), true)
  w.event('ConfbridgeStopRecord', { Conference: '8-0' })
  await w.clock.advance(2500)
  assert.equal(shown(), false)
  w.coupling.stop()
})

test('a transfer puts another channel in the place of one: whose it is is asked anew', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  join(w, 'anna')
  const b = join(w, 'bert')
  await w.clock.advance(300)
  const berts = anna.rosters.at(-1)!.m.members.find((m) => m.key?.startsWith('bert'))!.id
  const other = { ...w.channel('carl'), uniqueId: b.uniqueId }
  w.rooms.get('800')!.members[1] = other
  w.event('Rename', { Channel: b.channel, Newname: other.channel, Uniqueid: b.uniqueId })
  await w.clock.advance(300)
  assert.equal(anna.sees, 'anna,unverified bert', 'the caller id is that of before, the certificate is not')
  assert.equal(anna.rosters.at(-1)!.m.members.some((m) => m.id === berts), false)
})

test('acts: hosts on anybody, everybody on itself, nobody on conferences that it is not in', async () => {
  const w = await conference()
  const [anna, bert] = [w.sessions.get('anna')!, w.sessions.get('bert')!]
  const stranger = w.session('stranger')
  join(w, 'anna')
  join(w, 'bert')
  await w.clock.advance(300)
  const id = (who: string): number => anna.rosters.at(-1)!.m.members.find((m) => m.key?.startsWith(who))!.id
  const act = async (by: typeof anna, a: 'mute' | 'unmute' | 'kick' | 'lock' | 'unlock', member?: number): Promise<string> => {
    const [asked, got] = [w.asked.length, by.got.length]
    w.coupling.act(by.real, { conference: '800', act: a, ...(member === undefined ? {} : { member }) })
    await w.clock.advance(300)
    const fault = by.got.slice(got).find(({ m }) => m.k === 'fault')?.m
    return fault?.k === 'fault' ? fault.code : (w.asked.slice(asked).find((x) => x.startsWith('Confbridge') && !x.startsWith('ConfbridgeList')) ?? 'nothing')
  }
  assert.equal(await act(anna, 'mute', id('bert')), 'ConfbridgeMute 800 PJSIP/bert-2')
  assert.equal(await act(bert, 'unmute', id('bert')), 'ConfbridgeUnmute 800 PJSIP/bert-2')
  assert.equal(await act(bert, 'kick', id('anna')), 'PBX_NOT_HOST')
  assert.equal(await act(bert, 'lock'), 'PBX_NOT_HOST')
  assert.equal(await act(anna, 'kick', 999), 'PBX_NO_MEMBER')
  assert.equal(await act(stranger, 'lock'), 'PBX_NO_CONFERENCE')
  assert.equal(await act(anna, 'lock'), 'ConfbridgeLock 800')
  assert.equal(bert.rosters.at(-1)!.m.locked, true)
  assert.equal(await act(anna, 'kick', id('bert')), 'ConfbridgeKick 800 PJSIP/bert-2')
})

test('more members than a list takes: own ones first, the others counted', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  for (let i = 0; i < 140; i++) w.join(w.channel(`plain-${i}`), '800', false)
  w.join(w.channel('anna', 'anna'), '800', false)
  await w.clock.advance(2500)
  const last = anna.rosters.at(-1)!.m
  assert.deepEqual([last.members.length, last.more], [128, 13])
  assert.equal(last.members[0]!.call, 'call-141.0')
})

test('Asterisk was reloaded: its variables may be gone, so the secret is told again at once', async () => {
  const w = await conference()
  const told = (): number => w.asked.filter((a) => a.startsWith('Setvar STC_SECRET')).length
  const before = told()
  w.event('Reload', { Module: 'All' })
  await w.clock.advance(20)
  assert.equal(told(), before + 1)
  w.coupling.stop()
})

test('what is listed while somebody comes is listed again; a channel that took another\'s place, a mute without an event, a recorder that ended with its call', async () => {
  const w = await conference()
  const anna = w.sessions.get('anna')!
  join(w, 'anna')
  const plain = w.join(w.channel('plain'))
  await w.clock.advance(300)
  // The look is on its way when somebody comes: nobody is missed, even if that event, too, is.
  w.delayMs = 20
  const lists = (): number => w.asked.filter((a) => a === 'ConfbridgeListRooms').length
  const before = lists()
  w.event('Reload', {})
  await w.clock.advance(30)
  w.event('ConfbridgeTalking', { Conference: '800', Channel: plain.channel, Uniqueid: plain.uniqueId, TalkingStatus: 'on' })
  await w.clock.advance(300)
  assert.ok(lists() >= before + 2, `${lists() - before} looks`)
  w.delayMs = 1

  plain.muted = true
  await w.clock.advance(2100)
  assert.equal(anna.rosters.at(-1)!.m.members.find((m) => m.number === 'plain')!.muted, true, 'told although no event said so')

  const number = anna.rosters.at(-1)!.m.members.find((m) => m.number === 'plain')!.id
  w.lose()
  ;(plain as { channel: string }).channel = 'PJSIP/other-9'
  w.connect()
  await w.clock.advance(300)
  assert.notEqual(anna.rosters.at(-1)!.m.members.find((m) => m.number === 'plain')!.id, number, 'another presence')

  w.event('MixMonitorStart', { Channel: plain.channel })
  await w.clock.advance(300)
  assert.equal(anna.rosters.at(-1)!.m.members.find((m) => m.number === 'plain')!.recorded, true)
  w.leave(plain)
  w.event('Hangup', { Channel: plain.channel, Uniqueid: plain.uniqueId })
  // The name of a channel is used again.
  w.join({ ...plain, uniqueId: '99.0' })
  await w.clock.advance(300)
  assert.equal(anna.rosters.at(-1)!.m.members.find((m) => m.number === 'plain')!.recorded, undefined)
  w.coupling.stop()
})
