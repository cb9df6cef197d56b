/** A conference that demands certificates, and ways into it that never ask to be let in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PbxWorld } from '../kit/pbx-world.ts'

const RULES = { 800: { certificates: 'required' }, 801: { certificates: 'required', admit: ['cn:anna'] } }

async function room(conference = '800') {
  const w = new PbxWorld(RULES)
  const [anna, bert] = [w.session('anna'), w.session('bert')]
  w.connect()
  await w.clock.advance(50)
  w.join(w.channel('anna', 'anna'), conference)
  const b = w.join(w.channel('bert', conference === '800' ? 'bert' : 'anna'), conference)
  await w.clock.advance(300)
  return { w, anna, bert, b, kicks: () => w.asked.filter((a) => a.startsWith('ConfbridgeKick')) }
}
/** Attended transfer: the channel in the conference is another party's from now on. */
function transfer({ w, b }: Awaited<ReturnType<typeof room>>, to: string, token = '', conference = '800') {
  const other = { ...w.channel(to, token), uniqueId: b.uniqueId }
  const { members } = w.rooms.get(conference)!
  members[members.indexOf(b)] = other
  w.event('Rename', { Channel: b.channel, Newname: other.channel, Uniqueid: b.uniqueId })
  return other
}

test('the control: whoever has a certificate may be put in the place of another, and nobody is put out', async () => {
  const r = await room()
  r.w.session('dora')
  transfer(r, 'dora', 'dora')
  await r.w.clock.advance(5000)
  assert.deepEqual([r.anna.sees, r.kicks()], ['anna,dora', []])
  // Where none is demanded a plain one stays as well.
  const plain = new PbxWorld()
  const bert = plain.session('bert')
  plain.connect()
  plain.join(plain.channel('bert', 'bert'))
  plain.join(plain.channel('carl'))
  await plain.clock.advance(3000)
  assert.equal(bert.sees, 'bert,unverified carl')
})

test('a plain caller is transferred into it: out at once, and everybody sees that', async () => {
  const r = await room()
  const carl = transfer(r, 'carl')
  await r.w.clock.advance(300)
  assert.deepEqual([r.anna.sees, r.kicks()], ['anna', [`ConfbridgeKick 800 ${carl.channel}`]])
})

test('one whose certificate is not on the list, and one who came by another extension while nobody looked', async () => {
  const r = await room('801')
  transfer(r, 'bert', 'bert', '801')
  await r.w.clock.advance(300)
  assert.deepEqual([r.anna.sees, r.kicks().length], ['anna', 1])
  r.w.lose()
  r.w.join(r.w.channel('carl'), '801', false)
  r.w.connect()
  await r.w.clock.advance(300)
  assert.deepEqual([r.anna.sees, r.kicks().length], ['anna', 2])
})

test('Asterisk does not put it out: tried again at every look', async () => {
  const r = await room()
  r.w.refusesKicks = true
  transfer(r, 'carl')
  await r.w.clock.advance(300)
  assert.equal(r.anna.sees, 'anna,unverified bert', 'shown as long as it is there')
  r.w.refusesKicks = false
  await r.w.clock.advance(2500)
  assert.equal(r.anna.sees, 'anna')
})

test('whoever let Asterisk fall silent while it says who came is not put out for it, and not let stay unasked', async () => {
  const r = await room()
  r.w.session('dora')
  transfer(r, 'dora', 'dora')
  r.w.lose()
  await r.w.clock.advance(300)
  r.w.connect()
  await r.w.clock.advance(300)
  assert.deepEqual([r.anna.sees, r.kicks()], ['anna,dora', []])
})
