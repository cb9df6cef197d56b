/** What the server hands on about revocation, and when it says that it ends. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { unixTime } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import type { PlaneHandle } from '../../../src/media/plane/types.ts'
import type { Identity } from '../../../src/model/identity.ts'
import type { RevocationProof } from '../../../src/model/trust.ts'
import { createSubordinate, issueRevocationList } from '../../../src/pki/authority.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { ROOM_LIMITS } from '../../../src/protocol/room/index.ts'
import { verifyPath } from '../../../src/protocol/x509/path.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { decodeServerMessage, encodeClientMessage, encodeServerMessage } from '../../../src/protocol/wire/codec.ts'
import type { ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { ServerCore } from '../../../src/server/core.ts'
import { watchEnds } from '../../../src/server/ends.ts'
import { Revocation } from '../../../src/server/revocation.ts'
import { EvidenceFile } from '../../../src/store/evidence-file.ts'
import { anchorsOf, crypto, DAY_S, issue, later, NOW, testCa } from '../../kit/certificates.ts'
import { FakeTransport } from '../../kit/fake-transport.ts'
import { ocspResponse } from '../../kit/ocsp.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const YEAR_S = 365 * DAY_S
const ca = testCa()
const issuer = must(parseCertificate(ca.certificate))
const members = Array.from({ length: 200 }, () => issue(ca).chain)
const answers = (count: number, at: number, status: 'good' | 'revoked' = 'good'): RevocationProof[] => members.slice(0, count).map(([leaf]) => ({
  kind: 'ocsp', der: ocspResponse(ca.signer, { subject: must(parseCertificate(leaf!)), issuer, status, thisUpdate: later(at), nextUpdate: later(at + 3600) }),
}))

function serverAt(clock: { now: number }, authority = ca): Revocation {
  const revocation = new Revocation()
  revocation.trust(crypto, anchorsOf(authority), () => later(clock.now))
  return revocation
}

test('two hundred members whose certificates name a responder alone: all are let in, and everybody is told, in messages that the wire takes', () => {
  const clock = { now: 0 }
  const revocation = serverAt(clock)
  let news: readonly ServerMessage[] = []
  revocation.onChange((n) => (news = n))
  for (const at of [-60, 240, 540]) {
    clock.now = at + 60
    assert.deepEqual(revocation.learn(answers(200, at)), [])
  }
  for (const chain of members) assert.ok(verifyPath(crypto, chain, anchorsOf(ca), revocation.evidence, later(600), 'member', 'required').ok)
  const messages = revocation.updates()
  for (const m of [...messages, ...news]) must(encodeServerMessage(m))
  assert.equal(messages.flatMap((m) => m.proofs).length, 200, 'what was renewed is handed on once')
  clock.now = 700
  revocation.learn(answers(1, 640))
  assert.deepEqual(news.flatMap((m) => (m.k === 'revocation' ? m.proofs.length : 0)), [1], 'a renewed answer alone, not all of them')
})

test('an answer that revokes is handed on beside newer ones', () => {
  const revocation = serverAt({ now: 700 })
  revocation.learn([...answers(1, -60), ...answers(1, 240, 'revoked'), ...answers(1, 540)])
  assert.equal(revocation.updates()[0]!.proofs.length, 2)
})

test('whose clock is a day behind is not left with a list from the future alone', () => {
  const today = 9 * DAY_S
  const clock = { now: today }
  const revocation = serverAt(clock)
  const list = (at: number): RevocationProof => ({ kind: 'crl', der: issueRevocationList(ca, [], at, later(at)) })
  revocation.learn([list(today - 3 * DAY_S), list(today - 2 * DAY_S), list(today)])
  const relayed = () => revocation.updates().flatMap((m) => m.proofs as RevocationProof[])
  for (const behind of [0, DAY_S]) assert.ok(verifyPath(crypto, members[0]!, anchorsOf(ca), relayed(), later(today - behind), 'member', 'required').ok, `${behind}`)
  assert.equal(relayed().length, 2)
  clock.now = today + 2 * DAY_S
  revocation.learn([list(clock.now)])
  assert.equal(relayed().length, 2, 'the one before it')
})

test('a file spends its places on what holds', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'stc-evidence-'))
  const clock = { now: 700 }
  const revocation = serverAt(clock)
  const file = new EvidenceFile(path.join(dir, 'evidence.stc'), () => revocation.judge)
  for (const at of [-60, 240, 540]) must(file.learn(answers(64, at)))
  file.flush()
  assert.deepEqual(file.proofs(), answers(64, 540).map((p, i) => ({ ...p, der: file.proofs()[i]!.der })))
  const kept = new EvidenceFile(path.join(dir, 'evidence.stc'), () => revocation.judge).proofs()
  revocation.learn(kept)
  for (const chain of members.slice(0, 64)) assert.ok(verifyPath(crypto, chain, anchorsOf(ca), revocation.evidence, later(700), 'member', 'required').ok)
  rmSync(dir, { recursive: true })
})

test('the end of the newest list of each issuer counts, not of those before it', async () => {
  const below = createSubordinate(ca, { name: 'Below', now: NOW })
  const clock = new VirtualClock()
  const start = clock.unix()
  const at = { now: start - NOW }
  for (const authority of [ca, below]) {
    // The lists of `below` are vouched for by nobody yet.
    const revocation = serverAt(at)
    for (const days of [-8, -6, -1]) revocation.learn([{ kind: 'crl', der: issueRevocationList(authority, [], 9 + days, later(at.now + days * DAY_S)) }])
    assert.deepEqual(revocation.listEnds, [start + 6 * DAY_S], authority === ca ? 'known' : 'unknown')
    at.now += 40 * DAY_S
    assert.deepEqual(revocation.listEnds, [], 'of an authority that has gone')
    at.now -= 40 * DAY_S
    const warned: string[] = []
    const log = { info() {}, warn: (_: object, text: string) => void warned.push(text) }
    const stop = watchEnds({ certificate: encodePem('CERTIFICATE', issue(ca, { now: start }).chain[0]!), revocation, scheduler: clock, log })
    await clock.advance(61_000)
    assert.deepEqual(warned, [])
    stop()
  }
})

test('a client hears the news with each change, and at most once an hour all that holds: what it could not take before comes again', async () => {
  const clock = new VirtualClock()
  const at = (): number => clock.unix() - NOW
  const revocation = new Revocation()
  revocation.trust(crypto, anchorsOf(ca), () => later(at()))
  const learn = (member: number): void => assert.deepEqual(revocation.learn([answers(member + 1, at())[member]!]), [])
  learn(0)
  const [local, keep] = [{ address: '127.0.0.1', port: 1 }, { info: () => {}, warn: () => {} }]
  const core = new ServerCore({ crypto, scheduler: clock, plane: { local } as PlaneHandle, log: keep, agent: 'stc', realm: 'test', advertise: [], roomLimits: ROOM_LIMITS, maximumRooms: 1, revocation })
  const transport = new FakeTransport()
  core.connect({ identity: { subject: 'x', keyId: 'x' } as Identity, chain: [], remote: local, local, exporter: () => new Uint8Array(64) }, transport, unixTime(clock.unix() + YEAR_S))
  transport.receive(must(encodeClientMessage({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: ['revocation'], agent: 'test' })))
  const told = (): number => transport.sent.splice(0).map((b) => must(decodeServerMessage(b))).flatMap((m) => (m.k === 'revocation' ? m.proofs : [])).length
  const counts = [told()]
  for (let member = 1; member < 5; member++) {
    for (let i = 0; i < 150; i++) {
      await clock.advance(10_000)
      transport.receive(must(encodeClientMessage({ k: 'ping', n: i })))
    }
    learn(member)
    counts.push(told())
  }
  assert.deepEqual(counts, [1, 1, 1, 4, 1], 'after 0, 25, 50, 75 and 100 minutes')
  core.stop()
})
