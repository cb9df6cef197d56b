/** Whom we know: first contact, known, changed, re-issued, over restarts. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { unixTime } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { pairwiseCode } from '../../../src/protocol/x509/pairwise-code.ts'
import { KnownPeers } from '../../../src/store/known-peers.ts'

const person = (name: string, key: string, certificate = key): Identity => ({
  subject: name, emails: [`${name.toLowerCase()}@example.org`], hosts: [], issuer: 'CA', serial: '1', notBefore: unixTime(0), notAfter: unixTime(2e9),
  keyId: key.repeat(64).slice(0, 64), fingerprint: certificate.repeat(64).slice(0, 64),
})

function folder(t: { after(run: () => void): void }): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'stc-peers-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('first contact, known, re-issued for the same key, another key under a known name', async (t) => {
  const file = path.join(folder(t), 'peers.json')
  let peers = must(KnownPeers.open(file))
  const kinds = (...people: Identity[]): string[] => people.map((p) => peers.meet(p, 1000).kind)
  assert.deepEqual(kinds(person('Ann', 'a'), person('Ben', 'b')), ['first-contact', 'first-contact'])
  await Promise.resolve()
  peers = must(KnownPeers.open(file))
  assert.deepEqual(kinds(person('Ann', 'a'), person('Ann', 'a', 'c'), person('Ann', 'a', 'c')), ['known', 'reissued', 'known'])
  // It stays so until somebody compares: a second meeting makes an impostor no friend.
  assert.deepEqual(kinds(person('Ann', 'd'), person('Ann', 'd')), ['changed', 'changed'])
  await Promise.resolve()
  peers = must(KnownPeers.open(file))
  assert.equal(peers.compared(person('Ann', 'd').keyId, 1_800_000_000)?.compared, true)
  assert.deepEqual(peers.meet(person('Ann', 'd'), 2000), { kind: 'known', compared: true, comparedAt: 1_800_000_000 })
  assert.deepEqual(peers.meet(person('Ann', 'a', 'c'), 2000), { kind: 'known', compared: false })
  assert.equal(peers.compared('f'.repeat(64), 1), undefined)
  assert.deepEqual(readdirSync(path.dirname(file)), ['peers.json'])
})

test('two hundred are met in one step: one file after it; what a person said stands at once', async (t) => {
  const file = path.join(folder(t), 'peers.json')
  const peers = must(KnownPeers.open(file))
  const people = Array.from({ length: 200 }, (_, i) => ({ ...person(`Member ${i}`, 'a'), keyId: i.toString(16).padStart(64, '0') }))
  for (const p of people) peers.meet(p, 1000)
  assert.deepEqual(readdirSync(path.dirname(file)), [], 'nothing is written while they come')
  await Promise.resolve()
  const { ino } = statSync(file)
  assert.equal(must(KnownPeers.open(file)).all.length, 200)
  peers.meet(people[0]!, 2000)
  peers.compared(people[1]!.keyId, 2000)
  const kept = must(KnownPeers.open(file)).all
  assert.deepEqual([kept.find((p) => p.keyId === people[1]!.keyId)?.compared, kept.find((p) => p.keyId === people[0]!.keyId)?.lastSeen], [true, 2000])
  const { ino: now } = statSync(file)
  assert.notEqual(now, ino)
  peers.block(people[2]!.keyId, true)
  assert.equal(must(KnownPeers.open(file)).blocked(people[2]!.keyId), true)
  const { ino: last } = statSync(file)
  await Promise.resolve()
  assert.equal(statSync(file).ino, last, 'what was written with it is not written again')
})

test('a damaged list is a fault, not an empty one', (t) => {
  const file = path.join(folder(t), 'peers.json')
  for (const text of ['', '{', '{"version":2,"peers":[]}', '{"version":1,"peers":[{}]}']) {
    writeFileSync(file, text)
    const r = KnownPeers.open(file)
    assert.equal(r.ok ? '' : r.fault.code, 'STORE_DAMAGED', text)
  }
})

test('the pairwise code is the same on both sides, and another one for every other key', () => {
  const crypto = createNodeCrypto()
  const [a, b, c] = ['a', 'b', 'c'].map((k) => k.repeat(64)) as [string, string, string]
  assert.match(pairwiseCode(crypto, a, b), /^(\d{5} ){5}\d{5}$/)
  assert.equal(pairwiseCode(crypto, a, b), pairwiseCode(crypto, b, a))
  assert.equal(new Set([[a, b], [a, c], [b, c], [a, a]].map(([x, y]) => pairwiseCode(crypto, x!, y!))).size, 4)
})
