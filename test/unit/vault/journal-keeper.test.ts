/** The vault's side of the journal: the largest room fits, and what does not is counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import type { JournalEntry, VaultFact } from '../../../src/model/journal.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { MAGIC } from '../../../src/protocol/journal/index.ts'
import { concat } from '../../../src/base/bytes.ts'
import { JournalKeeper } from '../../../src/vault/inside/journal/keeper.ts'
import { People, REALM } from '../../kit/people.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const crypto = createNodeCrypto()

function keeper(): { readonly keeper: JournalKeeper; read(...records: readonly Uint8Array[]): JournalEntry[] } {
  const clock = new VirtualClock()
  const ann = new People(clock.unix(), crypto).person('Ann')
  const made = new JournalKeeper({ crypto, clock, signer: ann.signer, realm: REALM }, ann.pkcs8)
  const opening = must(made.open([], undefined)).records
  return { keeper: made, read: (...records) => must(made.read(concat(MAGIC, opening, ...records), undefined, undefined)).entries.map((e) => e.entry) }
}
const entered = (members: number): VaultFact => ({
  what: 'entered', room: 'r', call: '0123456789abcdef', realm: REALM, generation: 1, epoch: 1, code: '12345 12345',
  members: Array.from({ length: members }, (_, i) => ({ name: `${'a name as long as names may be '.repeat(2)}${i}`.slice(0, 64), leaf: i, keyId: 'ab'.repeat(32), fingerprint: 'cd'.repeat(32), kind: 'member' })),
})

test('a room of two hundred with the longest names is written whole', () => {
  const { keeper: k, read } = keeper()
  k.note(entered(200))
  const [e] = read(must(k.append([])).records)
  assert.ok(e?.what === 'entered' && e.members.length === 200)
})

test('a fact that is too large is counted as lost, and takes nothing else with it', () => {
  const { keeper: k, read } = keeper()
  k.note(entered(5))
  k.note(entered(5000))
  const first = must(k.append([{ what: 'started', text: 'one' }])).records
  const second = must(k.append([{ what: 'started', text: 'two' }])).records
  assert.deepEqual(read(first, second).map((e) => [e.what, 'facts' in e ? e.facts : undefined]), [['entered', undefined], ['lost', 1], ['started', undefined], ['started', undefined]])
})
