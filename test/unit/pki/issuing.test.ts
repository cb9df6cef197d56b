/** A new issuing authority below the same root; after a theft: attack/stolen-issuing-key. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { must } from '../../../src/base/result.ts'
import { readAudit } from '../../../src/pki/audit.ts'
import { openCa } from '../../../src/pki/authority.ts'
import { loadCa } from '../../../src/pki/ca-directory.ts'
import { caFiles, earlierFiles, readBlock } from '../../../src/pki/ca-files.ts'
import { asker } from '../../../src/pki/enrolment/ask.ts'
import { openDoor } from '../../../src/pki/enrolment/door.ts'
import { Joining } from '../../../src/pki/enrolment/join.ts'
import { fetchLists } from '../../../src/pki/fetch.ts'
import { endsSoon, renewIssuing } from '../../../src/pki/issuing.ts'
import { findIssued, revoke } from '../../../src/pki/revoked.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { Evidence } from '../../../src/protocol/x509/evidence.ts'
import { makeAnchors, verifyChain } from '../../../src/protocol/x509/path.ts'
import { connectTo } from '../../../src/net/http-connect.ts'
import { Revocation } from '../../../src/server/revocation.ts'
import { crypto, DAY_S, issue } from '../../kit/certificates.ts'
import { staged } from '../../kit/issuing-stage.ts'

test('planned: nobody does anything, and members of both issue, are revoked and renew', async (t) => {
  const stage = staged(t)
  const [ann, eve] = [await stage.member('Ann'), await stage.member('Eve')]
  stage.wait(4.5 * 365 * DAY_S)
  const late = await stage.member('Cleo')
  assert.equal(endsSoon(stage.options.ca, stage.now), stage.options.ca.notAfter, 'time to say so')
  const old = stage.options.ca
  const ca = stage.renewIssuing(false)
  assert.equal(endsSoon(ca, stage.now), undefined)
  assert.ok(ca.notAfter > old.notAfter + 4 * 365 * DAY_S)
  const bob = await stage.member('Bob')
  assert.deepEqual([stage.judge(bob.chain), stage.judge(late.chain)], ['accepted', 'accepted'])
  const renewed = must(await stage.renewed(late))
  assert.deepEqual(renewed[1], ca.certificate, 'by the new one')
  assert.equal(stage.judge(renewed), 'accepted')
  // A server knows the root alone, and knows what it hands on.
  const revocation = new Revocation()
  revocation.trust(crypto, must(makeAnchors([stage.options.root])), () => stage.now)
  assert.deepEqual(revocation.learn(stage.lists()), [])
  assert.deepEqual([revocation.updates()[0]!.proofs.length, Math.min(...revocation.listEnds) > stage.now], [2, true])
  must(revoke(ca, stage.options.dir, must(findIssued(stage.options.dir, must(parseCertificate(late.chain[0]!)).serial, false, stage.now)), stage.now))
  stage.wait(1)
  assert.equal(stage.judge(late.chain), 'IDENTITY_REVOKED', 'what the old one issued is revoked by a list of the old one')
  assert.ok(!(await stage.renewed(late)).ok)
  stage.wait(old.notAfter - stage.now - 10 * DAY_S)
  const [last, lists] = [issue(old, { now: stage.now }).chain, stage.lists()]
  revocation.learn(lists)
  revocation.meet(must(verifyChain(crypto, last, must(makeAnchors([stage.options.root])), lists, stage.now)).path)
  stage.wait(8 * DAY_S)
  assert.equal(stage.judge(last, lists), 'IDENTITY_REVOCATION_STALE', 'nobody can keep newer ones back for longer, to the last day')
  assert.ok(Math.min(...revocation.listEnds) < stage.now, 'and that they are missing is told')
  stage.wait(12 * DAY_S)
  assert.equal(stage.lists().length, 1, 'the old one has ended')
  revocation.learn(stage.lists())
  assert.ok(Math.min(...revocation.listEnds) > stage.now, 'and nobody is told that its list was forgotten')
  assert.ok(ann.chain.length === 2 && eve.chain.length === 2)
  assert.deepEqual(must(readAudit(crypto, caFiles(stage.options.dir).audit)).map((l) => l.what).filter((w) => w.startsWith('renew')), ['renew issuing'])
})

test('another key than the root\'s changes nothing; stopped in the middle, it is done again; no authority outlives the root', async (t) => {
  const stage = staged(t)
  const files = caFiles(stage.options.dir)
  const before = [readFileSync(files.issuing, 'utf8'), readFileSync(files.issuingKey, 'utf8')]
  const wrong = renewIssuing(crypto, stage.options.dir, { rootKey: stage.options.ca.pkcs8, compromised: true, now: stage.now })
  assert.ok(!wrong.ok && wrong.fault.code === 'IDENTITY_KEY_MISMATCH')
  assert.deepEqual([readFileSync(files.issuing, 'utf8'), readFileSync(files.issuingKey, 'utf8'), existsSync(files.rootList)], [...before, false])
  const ann = await stage.member('Ann')
  stage.renewIssuing(false)
  writeFileSync(files.issuing, before[0]!)
  assert.ok(!loadCa(crypto, stage.options.dir).ok)
  stage.wait(7 * 365 * DAY_S)
  const ca = stage.renewIssuing(false)
  assert.equal(must(openCa(crypto, ca.certificate, must(readBlock(files.issuingKey, 'PRIVATE KEY')))).notAfter, ca.notAfter)
  assert.equal(ca.notAfter, must(parseCertificate(stage.options.root)).notAfter)
  assert.ok(ann.chain.length > 0)
})

test('a draft in the way of the old key\'s keeping stops it, and the old key is kept the next time', (t) => {
  const stage = staged(t)
  const { dir, ca: old } = stage.options
  const at = earlierFiles(dir, toHex(crypto.hash('sha256', old.certificate)).slice(0, 16))
  mkdirSync(at.dir)
  // As a run with the same process number left it, in a container.
  writeFileSync(`${at.key}.${process.pid}.new`, 'half a key')
  const stopped = renewIssuing(crypto, dir, { rootKey: stage.rootKey, compromised: false, now: stage.now })
  assert.ok(!stopped.ok && stopped.fault.code === 'IDENTITY_OUTPUT_EXISTS')
  assert.deepEqual(must(loadCa(crypto, dir)).certificate, old.certificate)
  stage.renewIssuing(false)
  assert.deepEqual(must(readBlock(at.key, 'PRIVATE KEY')), old.pkcs8)
})

test('an open door takes the new one up by itself, and hands all lists out', async (t) => {
  const stage = staged(t)
  const now = () => Math.floor(Date.now() / 1000) as typeof stage.now
  stage.now = now()
  const door = must(await openDoor({ ...stage.options, now, hosts: ['localhost'], bind: { address: '127.0.0.1', port: 0 } }))
  t.after(() => door.close())
  const lists = async () => must(await fetchLists(`https://localhost:${door.port}/list.crl`)).length
  assert.equal(await lists(), 1)
  const ca = must(renewIssuing(crypto, stage.options.dir, { rootKey: stage.rootKey, compromised: false, now: now() }))
  assert.equal(await lists(), 2)
  const issued = must(await new Joining(crypto, { ...stage.invite('Dan', { confirmed: true }), host: 'localhost', port: door.port }).ask(asker(crypto, connectTo), now()))!
  assert.deepEqual(issued.chain[1], ca.certificate)
  assert.deepEqual(stage.notes.filter((n) => n.includes('issuing')), ['a new issuing authority is in use'])
  must(renewIssuing(crypto, stage.options.dir, { rootKey: stage.rootKey, compromised: true, now: now() }))
  assert.equal(await lists(), 4, 'of all three, and the root\'s')
})

test('a door that opens with an authority that was replaced meanwhile takes the new one up with the first connection', async (t) => {
  const stage = staged(t)
  const { ca: asLoaded } = stage.options
  const now = () => Math.floor(Date.now() / 1000) as typeof stage.now
  stage.now = now()
  const fresh = stage.renewIssuing(true)
  const lists = stage.lists()
  const door = must(await openDoor({ ...stage.options, ca: asLoaded, now, hosts: ['localhost'], bind: { address: '127.0.0.1', port: 0 } }))
  t.after(() => door.close())
  // Whoever knows that the old one was revoked says nothing to a door that shows it.
  const asked = await asker(crypto, connectTo)({ host: 'localhost', port: door.port, path: '/renew', body: '{}', fingerprint: crypto.hash('sha256', stage.options.root), evidence: must(Evidence.of(lists)) })
  assert.match(must(asked), /IDENTITY_REQUEST_MALFORMED/)
  assert.deepEqual(must(await fetchLists(`https://localhost:${door.port}/list.crl`)), lists)
  const issued = must(await new Joining(crypto, { ...stage.invite('Dan', { confirmed: true }), host: 'localhost', port: door.port }).ask(asker(crypto, connectTo), now()))!
  assert.deepEqual(issued.chain[1], fresh.certificate)
})
