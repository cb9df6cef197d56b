import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Der, UnixTime } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import type { Collateral } from '../../../../src/protocol/sgx/collateral.ts'
import { type AttestationPolicy, verifyQuote } from '../../../../src/protocol/sgx/verify.ts'
import { crypto, DAY_S, later, newSigner, NOW } from '../../../kit/certificates.ts'
import { ProcessorMaker, type ReportFields, report, tdReport } from '../../../kit/sgx.ts'

const maker = new ProcessorMaker()
const tdMaker = new ProcessorMaker()
tdMaker.tee = 'TDX'
const policyOf = (m: ProcessorMaker): AttestationPolicy => ({
  measurements: ['aa'.repeat(32), 'dd'.repeat(48)], statuses: ['UpToDate', 'SWHardeningNeeded'], reportData: new Uint8Array(64).fill(0xcc), root: m.rootKey,
})

function judge(quote: Uint8Array = maker.quote(), collateral: Collateral = maker.collateral(), change: Partial<AttestationPolicy> = {}, now: UnixTime = NOW, m = maker): string {
  const r = verifyQuote(crypto, quote, collateral, { ...policyOf(m), ...change }, now)
  return r.ok ? [r.value.status, ...r.value.advisories].join(' ') : r.fault.code
}

test('versions 3, 4 and 5 of an enclave\'s quote', () => {
  for (const version of [3, 4, 5] as const) assert.equal(judge(maker.quote({ version })), 'UpToDate')
  const got = must(verifyQuote(crypto, maker.quote(), maker.collateral(), policyOf(maker), NOW))
  assert.deepEqual({ ...got }, { tee: 'sgx', measurement: 'aa'.repeat(32), signer: 'bb'.repeat(32), productId: 7, svn: 3, status: 'UpToDate', advisories: [], validUntil: later(30 * DAY_S) })
})

test('a trust domain\'s, with its module', () => {
  const td = (tcbSvn: readonly number[], change: Parameters<typeof tdReport>[0] = {}, long = false): string =>
    judge(tdMaker.quote({ version: long ? 5 : 4, body: tdReport({ tcbSvn, ...change }, long) }), tdMaker.collateral(), {}, NOW, tdMaker)
  const rest = Array<number>(13).fill(0)
  assert.equal(td([5, 0, 6, ...rest]), 'UpToDate')
  assert.equal(td([4, 1, 5, ...rest]), 'UpToDate')
  assert.equal(td([4, 1, 5, ...rest], {}, true), 'UpToDate')
  assert.equal(td([4, 1, 4, ...rest]), 'SWHardeningNeeded INTEL-SA-00334')
  assert.equal(td([3, 1, 5, ...rest]), 'ATTESTATION_TCB', 'outdated module')
  assert.equal(td([5, 2, 5, ...rest]), 'ATTESTATION_COLLATERAL', 'unknown module')
  assert.equal(td([5, 0, 6, ...rest], { mrSignerSeam: new Uint8Array(48).fill(1) }), 'ATTESTATION_QUOTING_ENCLAVE')
  assert.equal(td([5, 0, 6, ...rest], { tdAttributes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) }), 'ATTESTATION_DEBUG')
  assert.equal(judge(tdMaker.quote({ version: 4 }), maker.collateral(), {}, NOW, tdMaker), 'ATTESTATION_CHAIN', 'lists of another maker')
})

test('another root, and a chain that does not lead to it', () => {
  const other = new ProcessorMaker()
  assert.equal(judge(other.quote(), other.collateral()), 'ATTESTATION_CHAIN')
  assert.equal(judge(maker.quote(), maker.collateral(), { root: other.rootKey }), 'ATTESTATION_CHAIN')
  assert.equal(judge(other.quote({ chain: maker.pckChain() })), 'ATTESTATION_SIGNATURE', 'a foreign processor behind a good chain')
  assert.equal(judge(maker.quote({ chain: maker.pckChain(maker.platform(), other.rootCertificate()) })), 'ATTESTATION_CHAIN', 'good chain under another root')
  assert.equal(judge(maker.quote({ chain: utf8('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') })), 'ATTESTATION_CHAIN')
  assert.equal(judge(maker.quote({ chain: new Uint8Array(0) })), 'ATTESTATION_CHAIN')
})

test('a body that the enclave did not make, an attestation key that the processor did not name', () => {
  const quote = maker.quote()
  const changed = quote.slice()
  changed[48 + 64]! ^= 1
  assert.equal(judge(changed), 'ATTESTATION_SIGNATURE')
  assert.equal(judge(maker.quote({ pck: newSigner() })), 'ATTESTATION_SIGNATURE')
  assert.equal(judge(maker.quote({ qe: { reportData: new Uint8Array(64) } })), 'ATTESTATION_SIGNATURE')
})

test('revocation lists: every one is needed, fresh, and signed by its issuer', () => {
  const list = (change: Partial<Collateral>): string => judge(maker.quote(), maker.collateral({ change }))
  const { crl } = maker.lists
  assert.equal(list({ rootCrl: new Uint8Array(0) as Der }), 'ATTESTATION_COLLATERAL', 'empty')
  assert.equal(list({ pckCrl: utf8('no list at all') as Der }), 'ATTESTATION_COLLATERAL', 'garbage')
  assert.equal(list({ pckCrl: crl(maker.pckCa, [], newSigner()) }), 'ATTESTATION_CHAIN', 'signed with another key')
  assert.equal(list({ rootCrl: crl(maker.root, [], maker.pckCa.signer) }), 'ATTESTATION_CHAIN', 'signed by another authority')
  assert.equal(list({ pckCrl: crl(maker.pckCa, [], maker.pckCa.signer, later(-1)) }), 'ATTESTATION_CHAIN', 'outdated')
  assert.equal(list({ pckCrl: maker.collateral().rootCrl }), 'ATTESTATION_CHAIN', 'of another issuer')
  for (const revoked of [maker.pck, maker.pckCa, maker.tcbSigner]) assert.equal(judge(maker.quote(), maker.collateral({ revoked: [revoked] })), 'ATTESTATION_CHAIN', revoked.name)
})

test('statements that Intel did not sign, of another time, kind or platform', () => {
  const said = (o: Parameters<ProcessorMaker['collateral']>[0]): string => judge(maker.quote(), maker.collateral(o))
  assert.equal(said({ change: { tcbInfo: JSON.stringify(maker.tcbInfo()).replace('OutOfDate', 'UpToDate ') } }), 'ATTESTATION_COLLATERAL_SIGNATURE')
  assert.equal(said({ change: { qeIdentitySignature: new Uint8Array(64) } }), 'ATTESTATION_COLLATERAL_SIGNATURE')
  assert.equal(said({ change: { tcbInfoSignature: new Uint8Array(1) } }), 'ATTESTATION_COLLATERAL_SIGNATURE')
  assert.equal(said({ signer: maker.lists.named('Intel SGX PCK Certificate') }), 'ATTESTATION_COLLATERAL_SIGNATURE', 'a processor\'s certificate signs no statements')
  const at = (s: number): string => new Date(s * 1000).toISOString().replace('.000', '')
  assert.equal(said({ tcbInfo: maker.tcbInfo({ nextUpdate: at(NOW - 1) }) }), 'ATTESTATION_COLLATERAL_STALE')
  assert.equal(said({ qeIdentity: maker.qeIdentity({ issueDate: at(NOW + 60) }) }), 'ATTESTATION_COLLATERAL_STALE')
  assert.equal(said({ tcbInfo: maker.tcbInfo({ fmspc: '00A067110001' }) }), 'ATTESTATION_COLLATERAL')
  assert.equal(said({ tcbInfo: maker.tcbInfo({ pceId: '0001' }) }), 'ATTESTATION_COLLATERAL')
  assert.equal(said({ tcbInfo: maker.tcbInfo({ id: 'TDX' }) }), 'ATTESTATION_COLLATERAL')
  assert.equal(said({ tcbInfo: maker.tcbInfo({ version: 2 }) }), 'ATTESTATION_COLLATERAL')
  assert.equal(said({ tcbInfo: maker.tcbInfo({ issueDate: '2026-02-30T00:00:00Z' }) }), 'ATTESTATION_COLLATERAL')
})

test('the level: first of the list whose every version is reached', () => {
  const level = (components: readonly number[], pceSvn = 9): string => judge(maker.quote({ chain: maker.pckChain(maker.platform(components, pceSvn)) }))
  const all = (n: number): number[] => Array<number>(16).fill(n)
  assert.equal(level(all(5)), 'UpToDate')
  assert.equal(level(all(9), 12), 'UpToDate')
  assert.equal(level([4, ...all(5).slice(1)]), 'SWHardeningNeeded INTEL-SA-00334')
  assert.equal(level(all(5), 8), 'ATTESTATION_TCB', 'out of date')
  assert.equal(level(all(2), 5), 'ATTESTATION_TCB', 'revoked')
  assert.equal(level(all(1), 1), 'ATTESTATION_TCB', 'below all')
  const revokedAllowed = verifyQuote(crypto, maker.quote({ chain: maker.pckChain(maker.platform(all(2), 5)) }), maker.collateral(), { ...policyOf(maker), statuses: ['Revoked'] }, NOW)
  assert.ok(!revokedAllowed.ok, 'no policy takes a revoked platform')
})

test('the quoting enclave: Intel\'s, of a version that counts', () => {
  const qe = (change: ReportFields, identity = {}): string => judge(maker.quote({ qe: change }), maker.collateral({ qeIdentity: maker.qeIdentity(identity) }))
  assert.equal(qe({ mrSigner: new Uint8Array(32) }), 'ATTESTATION_QUOTING_ENCLAVE')
  assert.equal(qe({ isvProdId: 2 }), 'ATTESTATION_QUOTING_ENCLAVE')
  assert.equal(qe({ attributes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) }), 'ATTESTATION_QUOTING_ENCLAVE', 'a debug quoting enclave')
  assert.equal(qe({}, { miscselect: '00000001' }), 'ATTESTATION_QUOTING_ENCLAVE')
  assert.equal(qe({ isvSvn: 3 }), 'ATTESTATION_TCB', 'an outdated one makes the platform outdated')
  assert.equal(qe({ isvSvn: 1 }), 'ATTESTATION_TCB')
})

test('the program: measured or signed as the policy says, not in debug mode, for this key', () => {
  const body = (change: Parameters<typeof report>[0], policy: Partial<AttestationPolicy> = {}): string => judge(maker.quote({ body: report(change) }), maker.collateral(), policy)
  assert.equal(body({ attributes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0) }), 'ATTESTATION_DEBUG')
  assert.equal(body({ attributes: new Uint8Array(16) }), 'ATTESTATION_MALFORMED', 'not initialised')
  assert.equal(body({ mrEnclave: new Uint8Array(32) }), 'ATTESTATION_MEASUREMENT')
  const signers = [{ mrSigner: 'BB'.repeat(32), productId: 7, minimumSvn: 3 }]
  assert.equal(body({ mrEnclave: new Uint8Array(32) }, { signers }), 'UpToDate')
  assert.equal(body({ mrEnclave: new Uint8Array(32), isvSvn: 2 }, { signers }), 'ATTESTATION_MEASUREMENT')
  assert.equal(body({ mrEnclave: new Uint8Array(32), isvProdId: 8 }, { signers }), 'ATTESTATION_MEASUREMENT')
  assert.equal(body({ reportData: new Uint8Array(64) }), 'ATTESTATION_REPORT_DATA')
})

test('quotes of other kinds, cut short or with something left over', () => {
  const quote = maker.quote()
  const with16 = (at: number, value: number): Uint8Array => {
    const b = quote.slice()
    b[at] = value
    return b
  }
  assert.equal(judge(with16(0, 2)), 'ATTESTATION_UNSUPPORTED')
  assert.equal(judge(with16(2, 3)), 'ATTESTATION_UNSUPPORTED')
  assert.equal(judge(new Uint8Array(0)), 'ATTESTATION_UNSUPPORTED')
  assert.equal(judge(new Uint8Array(20_000)), 'ATTESTATION_MALFORMED')
  for (let length = 2; length < quote.length; length += 37) assert.notEqual(judge(quote.subarray(0, length)), 'UpToDate')
})
