/** What a vault is told at its start that it knew before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { encodeRooms } from '../../../src/protocol/policy/index.ts'
import { createVault } from '../../../src/vault/inside/create.ts'
import { People, REALM } from '../../kit/people.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

test('a notice that was believed is believed again, with the clock set back by a day', async () => {
  const [clock, back] = [new VirtualClock(), new VirtualClock()]
  await clock.advance(86_400_000)
  const people = new People(back.unix())
  const { chain, pkcs8 } = people.person('Ann')
  const options = () => ({ chain, pkcs8: pkcs8.slice(), anchors: [people.ca.certificate], realm: REALM })
  const vault = must(createVault({ crypto: people.crypto, clock }, options()))
  const { notice } = must(await vault.call('notice.sign', { kind: 'block', target: 'ab'.repeat(32), reason: 'a stolen laptop' }))
  must(await vault.call('notice.learn', { notice: notice.bytes }))
  const again = must(createVault({ crypto: people.crypto, clock: back }, { ...options(), memory: encodeRooms({ policies: [], notices: [notice.bytes] }) }))
  assert.equal(must(await again.call('notice.known', {})).notices.length, 1)
  const strange = must(createVault({ crypto: people.crypto, clock: back }, options()))
  assert.equal((await strange.call('notice.learn', { notice: notice.bytes })).ok, false, 'from whoever it comes otherwise, a notice from the future is none')
})
