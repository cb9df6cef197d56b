/** A whole conference, and what stands in its members' journals afterwards. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { must } from '../../src/base/result.ts'
import { JournalRecorder } from '../../src/client/journal/recorder.ts'
import { type NumberedEntry, readAll } from '../../src/client/journal/reading.ts'
import { journalLine } from '../../src/client/journal/words.ts'
import { callIdOf } from '../../src/model/call-id.ts'
import { ConferenceWorld, type WorldMember } from '../kit/conference-world.ts'
import { journalFolder, ofWhat } from '../kit/journal.ts'

interface Recorded {
  readonly member: WorldMember
  readonly recorder: JournalRecorder
  read(): Promise<NumberedEntry[]>
}

async function record(t: TestContext, member: WorldMember): Promise<Recorded> {
  const folder = journalFolder(t)
  const recorder = must(JournalRecorder.open({ vault: member.vault, folder, now: () => member.world.clock.unix() * 1000, complain: (m) => assert.fail(m), memory: path.join(folder, 'state') }))
  await recorder.settled()
  member.watcher = recorder.observer()
  return {
    member, recorder,
    async read() {
      await recorder.settled()
      const all: NumberedEntry[] = []
      must(await readAll(member.vault, folder, (e) => void all.push(e)))
      return all
    },
  }
}

test('who came, who went, why and by whom, in which epoch and under which code: the same in every journal and at the server', async (t) => {
  const world = await ConferenceWorld.start({ media: false })
  const ann = await record(t, await world.arrive('Ann'))
  const bob = await record(t, await world.arrive('Bob'))
  for (const { member } of [ann, bob]) {
    member.dial()
    await world.run(3000)
  }
  const carl = await world.join('Carl')
  await world.run(3000)
  ann.member.remove(carl, true)
  await world.run(3000)
  const call = callIdOf(world.machine.state.group!.groupId)
  assert.equal(ann.member.roster.call, call)
  const [annals, bobs] = [await ann.read(), await bob.read()]
  for (const [who, all] of [['Ann', annals], ['Bob', bobs]] as const) {
    const entered = ofWhat(all, 'entered')[0]!
    assert.equal(entered.call, call, `${who}'s journal names the call as the server does`)
    assert.ok(entered.members.some((m) => m.self === true && m.name === who))
    const epochs = ofWhat(all, 'epoch')
    assert.ok(epochs.some((e) => e.came.some((m) => m.name === 'Carl')), 'Carl came')
    const gone = epochs.flatMap((e) => e.went).find((m) => m.name === 'Carl')
    assert.deepEqual([gone?.reason, gone?.by], ['host', 'Ann'])
    assert.ok(ofWhat(all, 'act').some((a) => a.act === 'ban'), 'the act in words')
    const policies = ofWhat(all, 'policy')
    assert.ok(policies.at(-1)!.stateVersion > policies[0]!.stateVersion && policies.at(-1)!.signed !== undefined, 'and as it was signed')
    assert.ok(all.every(({ entry }) => entry.source === 'vault' || entry.what !== 'deleted'))
    assert.ok(all.map((e) => journalLine(e.number, e.entry)).some((l) => l.includes('went: Carl') && l.includes('by Ann')))
  }
  const codes = (all: NumberedEntry[]) => new Map([...ofWhat(all, 'entered'), ...ofWhat(all, 'epoch')].map((e) => [e.epoch, e.code]))
  const [a, b] = [codes(annals), codes(bobs)]
  const shared = [...a.keys()].filter((e) => b.has(e))
  assert.ok(shared.length >= 2)
  for (const e of shared) assert.equal(a.get(e), b.get(e), `the code of epoch ${e}`)
})

test('what did not verify is there by its code, with the hash of what came', async (t) => {
  const world = await ConferenceWorld.start({ media: false })
  const ann = await record(t, await world.arrive('Ann'))
  ann.member.dial()
  await world.run(3000)
  let spoilt = false
  world.toMember = (m, message) => {
    if (m !== ann.member || message.k !== 'room-message' || spoilt) return [message]
    spoilt = true
    const bad = message.message.slice()
    bad[bad.length - 1]! ^= 1
    return [{ ...message, message: bad }, message]
  }
  await world.join('Bob')
  await world.run(3000)
  assert.ok(spoilt)
  const refused = ofWhat(await ann.read(), 'refused')
  assert.equal(refused.length, 1)
  assert.equal(refused[0]!.step, 'room.message')
  assert.match(refused[0]!.code, /^MLS_/)
  assert.match(refused[0]!.digest ?? '', /^[0-9a-f]{64}$/)
})

test('a room whose policy says that no journal is kept leaves nothing', async (t) => {
  const world = await ConferenceWorld.start({ media: false, policy: { journal: false } })
  const ann = await record(t, await world.arrive('Ann'))
  ann.member.dial()
  await world.run(3000)
  const bob = await world.join('Bob')
  await world.run(3000)
  ann.member.remove(bob)
  await world.run(3000)
  ann.member.leave()
  await world.run(3000)
  assert.deepEqual(await ann.read(), [])
})
