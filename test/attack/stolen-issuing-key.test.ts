/** Whoever stole the issuing key of a small authority, and the owner who has the root's. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Der, unixTime } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { must, ok } from '../../src/base/result.ts'
import { issueCertificate, issueRevocationList } from '../../src/pki/authority.ts'
import { issueToFiles, listIssued, noteIssued } from '../../src/pki/ca-directory.ts'
import { caFiles, earlierFiles, readBlock, readBlocks } from '../../src/pki/ca-files.ts'
import { openDoor } from '../../src/pki/enrolment/door.ts'
import { encodeReply } from '../../src/pki/enrolment/messages.ts'
import { renew as answerRenewal } from '../../src/pki/enrolment/renewals.ts'
import { renewIssuing } from '../../src/pki/issuing.ts'
import { renewAtDoor } from '../../src/pki/renewal.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { NOBODY_KNOWN } from '../../src/protocol/x509/evidence.ts'
import { makeAnchors } from '../../src/protocol/x509/path.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import { Revocation } from '../../src/server/revocation.ts'
import { EvidenceFile } from '../../src/store/evidence-file.ts'
import { readIdentity } from '../../src/store/identity-file.ts'
import { crypto, DAY_S, issue } from '../kit/certificates.ts'
import { staged } from '../kit/issuing-stage.ts'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('a stolen issuing key: the root\'s list ends what the thief signed, and members renew once', async (t) => {
  const stage = staged(t)
  const ann = await stage.member('Ann')
  const server = must(issueToFiles(stage.options.ca, stage.options.dir, { name: 'server', hosts: ['stc.example.org'], kind: 'server', now: stage.now }, path.join(stage.dir, 'server')))
  const stolen = stage.options.ca
  const ghost = issue(stolen, { name: 'Ann', now: stage.now })
  assert.deepEqual([stage.judge(ann.chain), stage.judge(ghost.chain)], ['accepted', 'accepted'], 'the control')
  stage.renewIssuing(true)
  assert.deepEqual([stage.judge(ann.chain), stage.judge(ghost.chain)], ['IDENTITY_REVOKED', 'IDENTITY_REVOKED'])
  // With the new issuing certificate enclosed, too, and with a fresh list of the thief's.
  const own = { kind: 'crl' as const, der: issueRevocationList(stolen, [], Math.floor(stage.now) + 9, stage.now) }
  assert.equal(stage.judge([...ghost.chain, stage.options.ca.certificate], [own, ...stage.lists()]), 'IDENTITY_REVOKED')
  const refused = await stage.renewed({ chain: [...ghost.chain], pkcs8: ghost.pkcs8 })
  assert.ok(!refused.ok && refused.fault.code === 'IDENTITY_SERIAL_UNKNOWN', refused.ok ? 'renewed' : refused.fault.message)
  const again = must(await stage.renewed(ann))
  assert.equal(stage.judge(again), 'accepted')
  using kept = must(readIdentity(crypto, { certificateFile: server.certificateFile, keyFile: server.keyFile }, stage.now))
  assert.equal(stage.judge(must(await stage.renewed({ chain: kept.chain, pkcs8: must(readBlock(server.keyFile, 'PRIVATE KEY')) })), stage.lists(), 'server'), 'accepted')
  // Even when the list of the root is a year old, and after the next theft.
  stage.wait(80 * DAY_S)
  const next = stage.options.ca
  stage.renewIssuing(true)
  const bob = await stage.member('Bob')
  assert.deepEqual([stage.judge(ghost.chain), stage.judge(again), stage.judge(issue(next, { now: stage.now }).chain), stage.judge(bob.chain)], ['IDENTITY_REVOKED', 'IDENTITY_REVOKED', 'IDENTITY_REVOKED', 'accepted'])
  // And nobody is told for years that a list has ended.
  const revocation = new Revocation()
  revocation.trust(crypto, must(makeAnchors([stage.options.root])), () => stage.now)
  revocation.learn(stage.lists())
  stage.wait(8 * DAY_S)
  revocation.learn(stage.lists())
  assert.ok(revocation.listEnds.length === 4 && Math.min(...revocation.listEnds) > stage.now)
})

test('stolen after a planned renewal: the keys of earlier issuing authorities lay beside it, and are out with it', async (t) => {
  const stage = staged(t)
  const earlier = stage.options.ca
  const ann = await stage.member('Ann')
  stage.renewIssuing(false)
  stage.wait(DAY_S)
  const ghosts = [earlier, stage.options.ca].map((stolen) => issue(stolen, { name: 'Ann', now: stage.now }))
  assert.deepEqual(ghosts.map((g) => stage.judge(g.chain)), ['accepted', 'accepted'], 'the control')
  stage.renewIssuing(true)
  assert.deepEqual([ann, ...ghosts].map((g) => stage.judge(g.chain)), ['IDENTITY_REVOKED', 'IDENTITY_REVOKED', 'IDENTITY_REVOKED'])
  assert.equal(stage.judge(must(await stage.renewed(ann))), 'accepted')
  assert.deepEqual(stage.lists()[1]!.der, must(readBlock(caFiles(stage.options.dir).rootList, 'X509 CRL')), 'second of all lists: nobody who takes some of them misses it')
})

test('stopped as soon as the root has revoked the stolen key: the list that is handed out says so, and it is done again', async (t) => {
  const stage = staged(t)
  const { dir } = stage.options
  const before = stage.lists()
  const ghost = issue(stage.options.ca, { name: 'Ann', now: stage.now })
  // What is to be kept of the old one cannot be written.
  const at = earlierFiles(dir, toHex(crypto.hash('sha256', stage.options.ca.certificate)).slice(0, 16))
  mkdirSync(at.dir)
  writeFileSync(`${at.key}.${process.pid}.new`, '')
  assert.ok(!renewIssuing(crypto, dir, { rootKey: stage.rootKey, compromised: true, now: stage.now }).ok)
  const handed = must(readBlocks(caFiles(dir).list, 'X509 CRL')).map((der) => ({ kind: 'crl' as const, der: der as Der }))
  assert.deepEqual([handed.length, handed[0]], [before.length + 1, before[0]])
  assert.equal(stage.judge(ghost.chain, handed), 'IDENTITY_REVOKED')
  // By a door whose process saw the root's list alone.
  writeFileSync(caFiles(dir).list, encodePem('X509 CRL', before[0]!.der))
  assert.equal(stage.judge(ghost.chain), 'IDENTITY_REVOKED')
  stage.renewIssuing(true)
  const bob = await stage.member('Bob')
  assert.deepEqual([stage.judge(ghost.chain), stage.judge(bob.chain), stage.lists().length], ['IDENTITY_REVOKED', 'accepted', 3])
})

test('the stolen key stands at the authority\'s door: whoever knows what the root revoked does not take its answer', async (t) => {
  const stage = staged(t)
  stage.now = unixTime(Math.floor(Date.now() / 1000))
  const [files, certificateFile, keyFile] = [caFiles(stage.options.dir), path.join(stage.dir, 'ann.pem'), path.join(stage.dir, 'ann.key')]
  const thief = { ...stage.options, dir: path.join(stage.dir, 'thief'), now: () => stage.now }
  const door = must(await openDoor({ ...thief, hosts: ['localhost'], bind: { address: '127.0.0.1', port: 0 } }))
  t.after(() => door.close())
  const request = { name: 'Ann', kind: 'member' as const, now: stage.now }
  const { chain, pkcs8 } = issueCertificate({ ...stage.options.ca, listAddress: `https://localhost:${door.port}/list.crl` }, request)
  must(noteIssued(stage.options.ca, stage.options.dir, chain, request))
  cpSync(stage.options.dir, thief.dir, { recursive: true })
  stage.renewIssuing(true)
  const before = chain.map((der) => encodePem('CERTIFICATE', der)).join('')
  writeFileSync(certificateFile, before)
  writeFileSync(keyFile, encodePem('PRIVATE KEY', pkcs8), { mode: 0o600 })
  const kept = new EvidenceFile(path.join(stage.dir, 'evidence.stc'), () => NOBODY_KNOWN)
  must(kept.learn(stage.lists()))
  const renew = (...more: readonly string[]): Promise<string> => new Promise((resolve) => {
    execFile(process.execPath, [program, 'identity', 'renew', '--certificate', certificateFile, '--key', keyFile, '--anchor', files.certificate, ...more], { env: { ...process.env, NO_PROXY: '*' } }, (_, out, complaint) => resolve(out + complaint))
  })
  for (const lists of [files.list, path.join(stage.dir, 'evidence.stc')]) assert.match(await renew('--lists', lists), /IDENTITY_REVOKED.*IDENTITY_ENROLMENT_FORGED/s)
  assert.equal(readFileSync(certificateFile, 'utf8'), before)
  assert.equal(must(listIssued(thief.dir)).length, 1, 'that door was not even asked')
  assert.match(await renew(), /^Renewed/, 'the control: nothing is known')
  // Behind another's door, too.
  using signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
  writeFileSync(certificateFile, before)
  const own = { certificate: must(parseCertificate(chain[0]!)), chain, signer, certificateFile }
  const forwarded = await renewAtDoor(crypto, own, stage.options.root, async ({ body }) => ok(encodeReply(answerRenewal(thief, body))), stage.now, kept.evidence)
  assert.ok(!forwarded.ok && forwarded.fault.code === 'IDENTITY_ENROLMENT_FORGED')
  assert.equal(readFileSync(certificateFile, 'utf8'), before)
})
