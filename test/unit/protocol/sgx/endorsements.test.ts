/** Intel's words as they are kept: genuine, fresh, and never older than what was there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../../../src/base/brand.ts'
import { fromUtf8, utf8 } from '../../../../src/base/bytes.ts'
import { decodeCollateral, encodeCollateral } from '../../../../src/protocol/sgx/collateral.ts'
import { FAMILIES_LIMIT } from '../../../../src/model/enclaves.ts'
import { Endorsements } from '../../../../src/protocol/sgx/endorsements.ts'
import { crypto, DAY_S, later, NOW } from '../../../kit/certificates.ts'
import { ProcessorMaker, report } from '../../../kit/sgx.ts'

const intel = new ProcessorMaker()
const policy = { measurements: ['aa'.repeat(32)], statuses: ['UpToDate'] as const }
const data = new Uint8Array(64).fill(0xcc)
const set = (change: Parameters<ProcessorMaker['collateral']>[0] = {}, m = intel): Uint8Array => encodeCollateral(m.collateral(change))
const judged = (e: Endorsements, now = NOW): string => {
  const r = e.judge(intel.quote({ body: report() }), data, policy, now)
  return r.ok ? r.value.status : r.fault.code
}

test('nothing at hand, nothing believed; genuine words let a quote be judged', () => {
  const e = new Endorsements(crypto, intel.rootKey)
  assert.equal(judged(e), 'ATTESTATION_COLLATERAL')
  const genuine = set()
  assert.deepEqual(e.learn([genuine], NOW), { changed: true, refused: [] })
  assert.equal(judged(e), 'UpToDate')
  assert.deepEqual(e.learn([genuine], NOW), { changed: false, refused: [] }, 'no news')
  assert.equal(judged(e, unixTime(NOW + 31 * DAY_S)), 'ATTESTATION_CHAIN', 'they end')
})

test('under Intel\'s own root those of the test count for nothing', () => {
  const e = new Endorsements(crypto)
  assert.deepEqual(e.learn([set()], NOW), { changed: false, refused: ['ATTESTATION_CHAIN'] })
})

test('forged, outdated and malformed ones are refused by name, and put nothing out of its place', () => {
  const e = new Endorsements(crypto, intel.rootKey)
  e.learn([set()], NOW)
  const stale = set({ tcbInfo: intel.tcbInfo({ nextUpdate: '2020-01-01T00:00:00Z' }) })
  const unsigned = set({ change: { tcbInfo: JSON.stringify(intel.tcbInfo({ fmspc: '00A067110001' })) } })
  assert.deepEqual(e.learn([set({}, new ProcessorMaker()), stale, unsigned, utf8('{}'), utf8('no')], NOW), {
    changed: false, refused: ['ATTESTATION_CHAIN', 'ATTESTATION_COLLATERAL_STALE', 'ATTESTATION_COLLATERAL_SIGNATURE', 'ATTESTATION_COLLATERAL', 'ATTESTATION_COLLATERAL'],
  })
  assert.equal(judged(e), 'UpToDate')
})

test('newer words replace older ones, never the reverse', () => {
  const e = new Endorsements(crypto, intel.rootKey)
  const at = (s: number): string => new Date((NOW - s) * 1000).toISOString().replace('.000', '')
  const of = (s: number, level: string): Uint8Array => set({ tcbInfo: intel.tcbInfo({ issueDate: at(s), tcbLevels: [{ ...(intel.tcbInfo()['tcbLevels'] as object[])[0], tcbStatus: level }] }), qeIdentity: intel.qeIdentity({ issueDate: at(s) }) })
  e.learn([of(100, 'UpToDate')], NOW)
  assert.equal(judged(e), 'UpToDate')
  assert.deepEqual(e.learn([of(50, 'OutOfDate')], NOW).changed, true)
  assert.equal(judged(e), 'ATTESTATION_TCB')
  assert.deepEqual(e.learn([of(100, 'UpToDate')], NOW).changed, false)
  assert.equal(judged(e), 'ATTESTATION_TCB')
})

test('a forged list of revoked processors in a genuine set: the true one is taken beside it, and the one that held stays', () => {
  const forged = (more: Parameters<ProcessorMaker['collateral']>[0] = {}): Uint8Array => encodeCollateral({ ...intel.collateral(more), pckCrl: new ProcessorMaker().collateral().pckCrl })
  const e = new Endorsements(crypto, intel.rootKey)
  assert.equal(e.learn([forged()], NOW).changed, true, 'it cannot be told without a quote')
  assert.equal(judged(e), 'ATTESTATION_CHAIN')
  e.learn([set()], NOW)
  assert.equal(judged(e), 'UpToDate')
  for (let i = 1; i < 8; i++) e.learn([forged()], NOW)
  assert.equal(judged(e), 'UpToDate', 'however many there are')
  const later = (s: number): string => new Date((NOW - s) * 1000).toISOString().replace('.000', '')
  const newer = { tcbInfo: intel.tcbInfo({ issueDate: later(10) }), qeIdentity: intel.qeIdentity({ issueDate: later(10) }) }
  assert.equal(e.learn([forged(newer)], NOW).changed, true)
  assert.equal(judged(e), 'UpToDate', 'newer words under the list that held')
  e.learn([set({ ...newer, revoked: [intel.pck] })], NOW)
  assert.equal(judged(e), 'ATTESTATION_CHAIN', 'and a true list that revokes the processor is the answer, not the one that held before')
})

test('a revocation is not rolled back by newer words beside a forged list, nor beside an older one', () => {
  const issued = (ago: number) => {
    const issueDate = new Date((NOW - ago) * 1000).toISOString().replace('.000', '')
    return { tcbInfo: intel.tcbInfo({ issueDate }), qeIdentity: intel.qeIdentity({ issueDate }) }
  }
  const pckCrl = () => new ProcessorMaker().collateral({ listed: later(-1) }).pckCrl
  for (const looked of [true, false]) {
    const e = new Endorsements(crypto, intel.rootKey)
    e.learn([set()], NOW)
    assert.equal(judged(e), 'UpToDate')
    e.learn([set({ listed: later(-500), revoked: [intel.pck] })], NOW)
    if (looked) assert.equal(judged(e), 'ATTESTATION_CHAIN')
    assert.equal(e.learn([set({ ...issued(10), change: { pckCrl: pckCrl() } })], NOW).changed, true)
    assert.equal(judged(e), 'ATTESTATION_CHAIN', 'the list that was seen counts with the newer words')
    for (let i = 0; i < 5; i++) e.learn([set({ ...issued(10), change: { pckCrl: pckCrl() } })], NOW)
    e.learn([set(issued(5))], NOW)
    assert.equal(judged(e), 'ATTESTATION_CHAIN', 'an older one does not')
    e.learn([set({ ...issued(5), listed: later(-400) })], NOW)
    assert.equal(judged(e), 'UpToDate', 'a newer one takes it back')
  }
})

test('a list counts as seen beside a quote that is refused for something else', () => {
  const issued = (ago: number) => {
    const issueDate = new Date((NOW - ago) * 1000).toISOString().replace('.000', '')
    return { tcbInfo: intel.tcbInfo({ issueDate }), qeIdentity: intel.qeIdentity({ issueDate }) }
  }
  const other = intel.lists.named('Intel SGX PCK Certificate')
  const e = new Endorsements(crypto, intel.rootKey)
  e.learn([set()], NOW)
  assert.equal(judged(e), 'UpToDate')
  // The list revokes this processor, and what is asked about is a quote of another one, of a program that nobody takes.
  e.learn([set({ listed: later(-500), revoked: [intel.pck] })], NOW)
  const refused = e.judge(intel.quote({ body: report({ mrEnclave: new Uint8Array(32) }), pck: other.signer, chain: intel.pckChain(undefined, undefined, other) }), data, policy, NOW)
  assert.equal(refused.ok ? 'taken' : refused.fault.code, 'ATTESTATION_MEASUREMENT')
  for (let i = 0; i < 5; i++) e.learn([set({ ...issued(10), change: { pckCrl: new ProcessorMaker().collateral({ listed: later(-1) }).pckCrl } })], NOW)
  assert.equal(judged(e), 'ATTESTATION_CHAIN')
})

test('kinds of processors are limited', () => {
  const e = new Endorsements(crypto, intel.rootKey)
  const sets = Array.from({ length: FAMILIES_LIMIT + 1 }, (_, i) => set({ tcbInfo: intel.tcbInfo({ fmspc: `00A0671200${i.toString(16).padStart(2, '0')}` }) }))
  e.learn(sets, NOW)
  assert.deepEqual(e.learn([set()], NOW).changed, false)
})

test('any octets in place of collateral: a fault, never an exception', () => {
  const good = fromUtf8(set())!
  fc.assert(fc.property(fc.nat(good.length - 1), fc.nat(255), (at, c) => {
    const changed = good.slice(0, at) + String.fromCharCode(c) + good.slice(at + 1)
    const e = new Endorsements(crypto, intel.rootKey)
    if (changed !== good && decodeCollateral(utf8(changed)).ok) e.learn([utf8(changed)], NOW)
  }), { numRuns: 150 })
  fc.assert(fc.property(fc.json(), (json) => void decodeCollateral(utf8(json))))
})
