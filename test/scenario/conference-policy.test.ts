/** What hosts and owners decide, as everybody in the room sees it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../src/base/result.ts'
import { privacySentence } from '../../src/model/privacy.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import { ConferenceWorld, ROOM, type WorldMember, type WorldOptions } from '../kit/conference-world.ts'
import { REALM } from '../kit/people.ts'
import { seededTest } from '../kit/seeded-random.ts'

const quiet: WorldOptions = { media: false }

/** A standing room of Ann's, known to the server, with these in it. */
async function standing(w: ConferenceWorld, wanted: Partial<Parameters<ConferenceWorld['arrive']>[1]> & { policy?: object } = {}): Promise<WorldMember> {
  const ann = await w.arrive('Ann')
  const { known } = must(await ann.vault.call('policy.draft', { room: { ...w.policy, room: ROOM, realm: REALM, ...wanted.policy } }))
  must(w.shelf.keepPolicy(ROOM, known.signed))
  ann.dial()
  await w.until(() => ann.inRoom, 10_000, 'Ann in her room')
  return ann
}

seededTest('a host locks: who comes waits in the lobby, is seen by name, admitted and let in; unlocking is announced', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  await w.until(() => ben.roster.policy?.state.locked === true, 5000, 'the lock')
  assert.deepEqual(ben.told, ['Ann locked the room'])

  const cas = await w.arrive('Cas')
  cas.dial()
  await w.until(() => ann.roster.knocking.length === 1 && cas.roster.waiting, 10_000, 'the knock')
  const [knock] = ann.roster.knocking
  assert.equal(knock!.identity.subject, 'Cas')
  assert.equal(knock!.identity.keyId, cas.keyId)
  assert.equal(cas.over, undefined)
  await w.run(150_000)
  assert.deepEqual(ann.roster.knocking.map((k) => k.identity.subject), ['Cas'], 'it is still waiting, by fresh requests')
  ann.command({ do: 'decide', decision: { act: 'admit', entry: cas.keyId } })
  await agree(w, [ann, ben, cas])
  assert.deepEqual(ann.roster.knocking, [])
  assert.equal(cas.roster.waiting, false)
  assert.ok(ben.told.some((x) => x.startsWith('Ann admitted')))

  ann.command({ do: 'decide', decision: { act: 'unlock' } })
  await w.until(() => [ann, ben, cas].every((m) => m.roster.policy?.state.locked === false), 5000, 'unlocked')
  for (const m of [ann, ben, cas]) assert.ok(m.roster.notes.some((n) => n.code === 'ROOM_UNLOCK' && n.prominent === true && n.text.includes('Ann')), m.name)
})

seededTest('what nobody but hosts may: refused for others, and nothing changes', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  ben.command({ do: 'decide', decision: { act: 'lock' } })
  ben.command({ do: 'hand-over', keyId: ben.keyId })
  ben.command({ do: 'remove', keyId: ann.keyId, ban: false })
  await w.run(3000)
  assert.deepEqual(ben.noteCodes.filter((c) => c.startsWith('MLS')), ['MLS_NOT_HOST', 'MLS_NOT_OWNER', 'MLS_NOT_HOST'])
  assert.equal(ann.roster.policy?.state.locked, false)
  await agree(w, [ann, ben])
})

seededTest('a ban takes effect in the commit that removes, and holds', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben, cas] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
  await agree(w, [ann, ben, cas])
  ann.command({ do: 'remove', keyId: cas.keyId, ban: true })
  await w.until(() => cas.over !== undefined, 10_000, 'the removal')
  await agree(w, [ann, ben])
  assert.deepEqual(ben.roster.policy?.state.banned, [cas.keyId])
  assert.ok(ben.told.includes('Ann banned Cas'), ben.told.join())
  cas.dial()
  await w.until(() => cas.over !== undefined, 20_000, 'the refusal')
  assert.match(cas.over!.reason, /banned/)
})

seededTest('a red flag reaches everybody under its sender\'s name', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  ben.command({ do: 'flag', text: 'somebody stands behind me\u202e' })
  await w.run(500)
  for (const m of [ann, ben]) assert.ok(m.roster.notes.some((n) => n.prominent === true && n.text === 'Ben raises a RED FLAG: somebody stands behind me\uFFFD'), m.told.join())
})

seededTest('a phone that can be overheard on its local network is shown to everybody, to those who come later too, and no longer when it is not', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  const legs = (m: WorldMember): unknown => Object.fromEntries(m.roster.members.flatMap((x) => (x.phoneLeg === undefined ? [] : [[x.identity.subject, x.phoneLeg]])))
  ann.call.phoneIs('local')
  ben.call.phoneIs('plain-lan')
  await w.until(() => privacySentence(ann.roster) === 'Only these 2 people can hear this. Phone leg: plain on LAN.', 5000, 'Ben\'s word at Ann')
  assert.deepEqual(legs(ann), { Ann: 'local', Ben: 'plain-lan' })
  assert.deepEqual(legs(ben), { Ben: 'plain-lan' }, 'who is well says nothing')
  const cas = await w.join('Cas')
  await agree(w, [ann, ben, cas])
  await w.until(() => /plain on LAN/.test(privacySentence(cas.roster)), 5000, 'Ben\'s word at Cas')
  assert.deepEqual(legs(cas), { Ben: 'plain-lan' })
  ben.call.phoneIs('encrypted')
  await w.until(() => [ann, ben, cas].every((m) => privacySentence(m.roster) === 'Only these 3 people can hear this.'), 5000, 'the end of it')
  const dan = await w.arrive('Dan')
  dan.dial()
  dan.call.phoneIs('plain-lan')
  await w.until(() => [ann, ben, cas].every((m) => (legs(m) as { Dan?: unknown }).Dan === 'plain-lan'), 10_000, 'what was known before its client was in')
})

seededTest('whoever says again and again that its phone can be overheard, and that it cannot, is shown as it is and news only once', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  const leg = (): unknown => ann.roster.members.find((m) => m.identity.subject === 'Ben')?.phoneLeg
  for (let i = 0; i < 3; i++) for (const is of ['plain-lan', 'encrypted'] as const) {
    ben.call.phoneIs(is)
    await w.until(() => leg() === is, 10_000, `Ben's word that it is ${is}`)
  }
  const told = ann.events.flatMap((e) => (e.kind === 'phone-leg' ? [`${e.leg}${e.again === true ? ', again' : ''}`] : []))
  assert.deepEqual(told, ['plain-lan', 'encrypted', ...Array.from({ length: 2 }, () => ['plain-lan, again', 'encrypted, again']).flat()])
})

seededTest('the room is handed over: shown, and the new owner decides', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await standing(w)
  const ben = await w.join('Ben')
  await agree(w, [ann, ben])
  assert.equal(ben.roster.members.find((m) => m.identity.subject === 'Ann')?.role, 'owner')
  ann.command({ do: 'hand-over', keyId: ben.keyId })
  await w.until(() => ann.roster.policy?.base.owners[0] === ben.keyId, 5000, 'the hand-over')
  assert.ok(ann.roster.notes.some((n) => n.code === 'ROOM_HAND_OVER' && n.prominent === true && n.text.includes('from Ann to Ben')), ann.told.join())
  assert.deepEqual(ann.roster.members.map((m) => [m.identity.subject, m.role]), [['Ann', 'co-owner'], ['Ben', 'owner']])
  ben.command({ do: 'amend', change: { owners: [ben.keyId], lobby: true } })
  await w.until(() => ann.roster.policy?.base.lobby === true, 5000, 'the new policy')
  assert.equal(ann.roster.members.find((m) => m.identity.subject === 'Ann')?.role, undefined)
  // Everybody else who comes has the newest policy, from the server.
  assert.deepEqual((await must(await ben.vault.call('policy.known', { room: ROOM })).rooms[0]!.signed), w.shelf.policyOf(ROOM))
})

seededTest('a gateway is let in where the policy allows it, and announced', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await standing(w)
  const gate = await w.join('Gate', { kind: 'gateway' })
  assert.match(gate.over?.reason ?? '', /gateways/)
  ann.command({ do: 'amend', change: { gatewaysAllowed: true } })
  await w.until(() => ann.roster.policy?.base.gatewaysAllowed === true, 5000, 'the new policy')
  assert.ok(ann.roster.notes.some((n) => n.code === 'ROOM_GATEWAYS_ALLOWED' && n.prominent === true))
  gate.dial()
  await agree(w, [ann, gate])
  assert.ok(ann.roster.notes.some((n) => n.code === 'CLIENT_GATEWAY_JOINED' && n.prominent === true))
})

seededTest('the owner makes the policy stricter: whoever no longer fits has to leave, is told by whom, and others come in as before', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await w.arrive('Ann', { keyProtection: 'process' })
  must(w.shelf.keepPolicy(ROOM, must(await ann.vault.call('policy.draft', { room: { ...w.policy, gatewaysAllowed: true } })).known.signed))
  ann.dial()
  await w.until(() => ann.inRoom, 10_000, 'Ann in her room')
  const [ben, cas, gate] = [await w.join('Ben'), await w.join('Cas', { keyProtection: 'process' }), await w.join('Gate', { kind: 'gateway', keyProtection: 'process' })]
  await agree(w, [ann, ben, cas, gate])
  ann.command({ do: 'amend', change: { minimumKeyProtection: 'enclave' } })
  await w.run(3000)
  assert.ok(ann.noteCodes.includes('MLS_POLICY'), 'nobody puts themselves out')
  assert.equal(ann.roster.policy?.base.minimumKeyProtection, 'in-process')
  ann.command({ do: 'amend', change: { minimumKeyProtection: 'process' } })
  await agree(w, [ann, cas, gate])
  assert.equal(ben.over?.code, 'CLIENT_REMOVED')
  assert.ok(cas.roster.notes.some((n) => n.text === 'Ben was removed (host) by Ann'), cas.noteCodes.join())
  ann.command({ do: 'amend', change: { gatewaysAllowed: false } })
  await agree(w, [ann, cas])
  const dan = await w.join('Dan', { keyProtection: 'process' })
  await agree(w, [ann, cas, dan])
  ben.dial()
  await w.until(() => ben.over !== undefined && ben.roster.phase === 'left', 20_000, 'the refusal')
  assert.match(ben.over!.reason, /keys are kept in-process, the room asks for process/)
})

seededTest('in a room with a lobby the first waits for a host, who finds them', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await w.arrive('Ann')
  const { known } = must(await ann.vault.call('policy.draft', { room: { ...w.policy, lobby: true } }))
  must(w.shelf.keepPolicy(ROOM, known.signed))
  const ben = await w.arrive('Ben')
  ben.dial()
  await w.run(12_000)
  assert.equal(ben.over, undefined)
  assert.equal(ben.roster.waiting, true)
  ann.dial()
  await w.until(() => ann.roster.knocking.length === 1, 20_000, 'the knock')
  ann.command({ do: 'decide', decision: { act: 'admit', entry: ben.keyId } })
  await agree(w, [ann, ben])
})

test('the rooms of a client are remembered', async () => {
  const w = await ConferenceWorld.start(quiet)
  const ann = await w.arrive('Ann')
  for (let i = 0; i < 50; i++) must(await ann.vault.call('policy.draft', { room: { ...w.policy, room: `room-${i}` as typeof ROOM } }))
  const again = await w.arrive('Ann', { as: ann, memory: await ann.memory() })
  assert.equal(must(await again.vault.call('policy.known', {})).rooms.length, 50)
  w.stop()
})

seededTest('who leaves before the ban arrives is banned all the same', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben, cas] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
  await agree(w, [ann, ben, cas])
  const early = await ann.vault.call('room.decide', { session: ann.view!.session, decision: { act: 'ban', keyId: cas.keyId } })
  assert.equal(early.ok ? '' : early.fault.code, 'MLS_REMOVAL', 'a member is banned by its removal alone')
  // The ban waits for an act before it; meanwhile its target is gone.
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  ann.command({ do: 'remove', keyId: cas.keyId, ban: true })
  cas.leave()
  await w.until(() => ben.roster.policy?.state.banned.includes(cas.keyId) === true, 20_000, 'the ban')
  await agree(w, [ann, ben])
  assert.ok(ben.told.includes('Ann banned Cas'), ben.told.join())
  ann.command({ do: 'decide', decision: { act: 'unlock' } })
  await w.until(() => ben.roster.policy?.state.locked === false, 10_000, 'unlocked')
  cas.dial()
  await w.until(() => cas.over !== undefined, 20_000, 'the refusal')
  assert.match(cas.over!.reason, /banned/)
})
