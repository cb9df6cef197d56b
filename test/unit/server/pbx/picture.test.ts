/** How often Asterisk is asked for everything. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PbxWorld } from '../../../kit/pbx-world.ts'

const looks = (w: PbxWorld): number => w.asked.filter((a) => a.startsWith('ConfbridgeListRooms')).length

async function connected(): Promise<PbxWorld> {
  const w = new PbxWorld()
  w.connect()
  await w.clock.advance(1000)
  return w
}
/** Everybody in it speaks now and then, five times a second in all, for a minute. */
async function talk(w: PbxWorld, conference: string, uniqueId: string): Promise<number> {
  const before = looks(w)
  for (let i = 0; i < 300; i++) {
    w.event(i % 3 === 0 ? 'ConfbridgeLeave' : i % 3 === 1 ? 'ConfbridgeMute' : 'ConfbridgeTalking', { Conference: conference, Uniqueid: uniqueId, Channel: 'PJSIP/x-1', TalkingStatus: 'on' })
    await w.clock.advance(200)
  }
  return looks(w) - before
}

test('what happens in a conference whose name does not fit asks for nothing, and its members are not listed', async () => {
  const w = await connected()
  w.join(w.channel('carl'), 'two words')
  const quiet = await talk(await connected(), 'räume', '1.1')
  assert.equal(await talk(w, 'two words', '1.1'), quiet)
  assert.ok(quiet <= 31, `${quiet} looks a minute`)
  assert.equal(w.asked.some((a) => a.includes('two words')), false)
})

test('what happens to a member that is one too many asks for nothing either', async () => {
  const w = await connected()
  for (let i = 0; i < 1001; i++) w.join(w.channel(`a${i}`), '800', false)
  await w.clock.advance(5000)
  const some = await talk(w, '800', '1001.0')
  assert.ok(some <= 31 * 5, `${some} looks`)
  assert.ok(some <= 5 * (await talk(await connected(), 'räume', '1.1')))
})

test('a hundred events that our picture does not fit, while a look is under way, ask for one more', async () => {
  const w = await connected()
  w.delayMs = 50
  w.join(w.channel('anna'), '800', false)
  const before = looks(w)
  for (let i = 0; i < 100; i++) w.event('ConfbridgeTalking', { Conference: '800', Uniqueid: '77.0', Channel: 'PJSIP/x-1', TalkingStatus: 'on' })
  await w.clock.advance(1500)
  assert.equal(looks(w) - before, 2)
})
