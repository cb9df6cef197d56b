import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ByteWriter, concat, fromHex } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { keyPackageIn, parseCommit } from '../../../../src/protocol/room/framing.ts'
import { fakeCommit, fakeKeyPackage } from '../../../kit/fake-mls.ts'
import { SeededNumbers, seededTest } from '../../../kit/seeded-random.ts'

const groupId = new Uint8Array(32).fill(1)
const base = { groupId, epoch: 7n, leaf: 3 }

test('the outside of a commit', () => {
  const kps = [fakeKeyPackage(1), fakeKeyPackage(2)]
  const c = must(parseCommit(fakeCommit({ ...base, adds: kps, removes: [5, 1], contextExtensions: true })))
  assert.deepEqual(c, { groupId, epoch: 7n, leaf: 3, adds: kps.map((k) => k.subarray(4)), removes: [5, 1], contextExtensions: true, path: true })
  assert.equal(must(parseCommit(fakeCommit({ ...base, path: false }))).path, false)
})

test('what is no commit of a member by value is refused', () => {
  const good = fakeCommit(base)
  const at = (i: number, v: number): Uint8Array => good.map((b, j) => (j === i ? v : b))
  const sender = 4 + 1 + 32 + 8
  const bad: [Uint8Array, RegExp][] = [
    [at(3, 2), /PublicMessage/], [at(1, 2), /PublicMessage/], [at(sender, 4), /no member/], [at(sender + 5 + 5, 2), /no commit/],
    [concat(good, new Uint8Array(1)), /1 octets behind/], [good.subarray(0, -1), /early/], [new Uint8Array(0), /PublicMessage/],
    [fakeCommit({ ...base, proposal: new ByteWriter().u8(2).put(new Uint8Array(33)).finish() }), /by reference/],
    ...[2, 4, 5, 6, 8, 0x0a0a].map((type): [Uint8Array, RegExp] => [fakeCommit({ ...base, proposal: new ByteWriter().u8(1).u16(type).u32(0).finish() }), new RegExp(`type ${type}`)]),
    [fakeCommit({ ...base, proposal: new ByteWriter().u8(1).u16(3).u16(0).finish() }), /early/],
  ]
  for (const [bytes, why] of bad) {
    const r = parseCommit(bytes)
    assert.ok(!r.ok && r.fault.code === 'ROOM_BAD_FRAMING')
    assert.match(r.fault.message, why)
  }
})

test('key packages in their message', () => {
  const kp = fakeKeyPackage(9)
  assert.deepEqual(keyPackageIn(kp), kp.subarray(4))
  for (const bad of [kp.subarray(4), kp.subarray(0, -1), concat(kp, new Uint8Array(1)), new Uint8Array(0)]) assert.equal(keyPackageIn(bad), undefined)
})

seededTest('mutated commits give a fault or a commit, never an exception', (seed) => {
  const n = new SeededNumbers(seed)
  const good = fakeCommit({ ...base, adds: [fakeKeyPackage(1)], removes: [2] })
  let refused = 0
  for (let i = 0; i < 5000; i++) {
    const bytes = good.slice(0, n.chance(0.2) ? n.int(good.length) : good.length)
    for (let k = 0; k <= n.int(3); k++) bytes[n.int(bytes.length)] = n.int(256)
    if (!parseCommit(bytes).ok) refused++
    keyPackageIn(bytes)
  }
  assert.ok(refused > 500)
})

test('commits of the official vectors', (t) => {
  const file = fileURLToPath(new URL('../../../../../shared/vectors/mls/passive-client-handling-commit.json', import.meta.url))
  if (!existsSync(file)) return t.skip('the MLS vectors are not beside the project')
  const cases = JSON.parse(readFileSync(file, 'utf8')) as { key_package: string; epochs: { commit: string }[] }[]
  let commits = 0
  for (const c of cases) {
    assert.ok(keyPackageIn(fromHex(c.key_package)!) !== undefined, 'a key package')
    for (const e of c.epochs) {
      const bytes = fromHex(e.commit)!
      if (bytes[3] !== 1) continue
      const r = parseCommit(bytes)
      // Some have proposals that we do not take: then the reason is that, and not the walk.
      if (!r.ok) assert.match(r.fault.message, /by reference|of type/)
      else commits++
    }
  }
  assert.ok(commits > 0)
})
