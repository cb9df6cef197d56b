import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { err, must, ok } from '../../../src/base/result.ts'
import { authorityAsker } from '../../../src/cli/authority.ts'
import { readAudit } from '../../../src/pki/audit.ts'
import { issueCertificate } from '../../../src/pki/authority.ts'
import { listIssued, noteIssued } from '../../../src/pki/ca-directory.ts'
import { caFiles } from '../../../src/pki/ca-files.ts'
import { asker } from '../../../src/pki/enrolment/ask.ts'
import { Invitations } from '../../../src/pki/enrolment/invitations.ts'
import { openDoor } from '../../../src/pki/enrolment/door.ts'
import { Joining } from '../../../src/pki/enrolment/join.ts'
import { formatLink, parseLink } from '../../../src/pki/enrolment/link.ts'
import { fetchLists } from '../../../src/pki/fetch.ts'
import { doorOf, isDue, renewAtDoor } from '../../../src/pki/renewal.ts'
import { findIssued, listRevoked, revoke } from '../../../src/pki/revoked.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { parseRevocationList } from '../../../src/protocol/x509/crl.ts'
import { makeAnchors, verifyPath } from '../../../src/protocol/x509/path.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { connectTo } from '../../../src/net/http-connect.ts'
import { readCertificates } from '../../../src/store/identity-file.ts'
import { AuthorityDesk } from '../../kit/authority-desk.ts'
import { startProxy } from '../../kit/connect-proxy.ts'
import { crypto, DAY_S } from '../../kit/certificates.ts'

const stage = new AuthorityDesk()
after(() => stage.close())

test('links: any values there and back, anything else is named', () => {
  fc.assert(fc.property(fc.constantFrom('ca.example.org', '192.0.2.1', '2001:db8::1'), fc.integer({ min: 1, max: 65_535 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (host, port, secret, fingerprint) => {
    assert.deepEqual(must(parseLink(formatLink({ host, port, secret, fingerprint }))), { host, port, secret, fingerprint })
  }))
  const link = formatLink(stage.invite('Ann'))
  for (const bad of ['', 'ann', link.slice(0, -1), link.replace('#1.', '#2.'), link.replace(':7444', ':0'), link.replace('https', 'http'), link.split('#')[0]!]) {
    const r = parseLink(bad)
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_LINK_MALFORMED', bad)
  }
})

test('invited, used, confirmed, issued: the key never leaves the joiner, the name is the inviter\'s', async () => {
  const joining = new Joining(crypto, stage.invite('Bob Example', { emails: ['bob@example.org'] }))
  assert.equal(must(await joining.ask(stage.ask, stage.now)), undefined, 'waits for a yes')
  const waiting = stage.invitations.all().find((s) => s.invitation.name === 'Bob Example')!
  assert.equal(waiting.use?.code, joining.code)
  assert.equal(must(await joining.ask(stage.ask, stage.now)), undefined)
  must(stage.invitations.decide(waiting.invitation.id, { let: true, at: stage.now }))
  const issued = must(await joining.ask(stage.ask, stage.now))!
  assert.equal(issued.name, 'Bob Example')
  assert.deepEqual(issued.settings, { server: 'stc.example.org', realm: 'friends' })
  const list = stage.options.ca
  const identity = must(verifyPath(crypto, issued.chain, must(makeAnchors([issued.root])), [{ kind: 'crl', der: await currentListOf() }], stage.now, 'member', 'named'))
  assert.deepEqual([identity.subject, identity.emails], ['Bob Example', ['bob@example.org']])
  // Asked again, as after a lost answer: the same certificate, and one line in the index.
  assert.deepEqual(must(await joining.ask(stage.ask, stage.now))!.chain, issued.chain)
  assert.equal(must(listIssued(stage.options.dir)).filter((e) => e.name === 'Bob Example').length, 1)
  assert.ok(list.listAddress?.endsWith('/list.crl'))
  assert.deepEqual(must(readAudit(crypto, caFiles(stage.options.dir).audit)).map((l) => l.what).slice(0, 3), ['init', 'invitation used', 'issue'])
})

test('a group that keeps no journals says so at its set-up, and its new members are told, under the reply\'s tag', async () => {
  const quiet = new AuthorityDesk('No journals')
  try {
    Object.assign(quiet.options.settings, { journal: false })
    const joining = new Joining(crypto, quiet.invite('Ann'))
    must(await joining.ask(quiet.ask, quiet.now))
    must(quiet.invitations.decide(quiet.invitations.all()[0]!.invitation.id, { let: true, at: quiet.now }))
    assert.equal(must(await joining.ask(quiet.ask, quiet.now))!.settings.journal, false)
    const stripped = await joining.ask(async (q) => {
      const r = await quiet.ask(q)
      return r.ok ? ok(r.value.replace(',"journal":false', '')) : r
    }, quiet.now)
    assert.ok(!stripped.ok, 'taken out on the way')
  } finally {
    quiet.close()
  }
})

const currentListOf = async () => {
  const { currentLists } = await import('../../../src/pki/revoked.ts')
  return must(currentLists(stage.options.ca, stage.options.dir, stage.now))[0] as never
}

test('renewal by itself: due after two thirds, same key and names, not for a revoked one', async () => {
  const joining = new Joining(crypto, stage.invite('Cleo', { confirmed: true, lifetimeDays: 30 }))
  const issued = must(await joining.ask(stage.ask, stage.now))!
  const certificateFile = path.join(stage.dir, 'cleo.pem')
  writeFileSync(certificateFile, issued.chain.map((der) => encodePem('CERTIFICATE', der)).join(''))
  const before = must(parseCertificate(issued.chain[0]!))
  assert.deepEqual(doorOf(before), { host: 'ca.example.org', port: 7444 })
  assert.ok(!isDue(before, stage.now))
  stage.wait(21 * DAY_S)
  assert.ok(isDue(before, stage.now))
  using signer = crypto.signer('ecdsa-p256-sha256', joining.pkcs8)
  const nowhere = await renewAtDoor(crypto, { certificate: before, chain: issued.chain, signer, certificateFile: path.join(stage.dir, 'gone', 'cleo.pem') }, issued.root, stage.ask, stage.now)
  assert.ok(!nowhere.ok && nowhere.fault.code === 'IDENTITY_FILE_UNWRITABLE')
  assert.equal(must(listIssued(stage.options.dir)).filter((e) => e.name === 'Cleo').length, 1, 'nothing is issued that could not be kept')
  const end = must(await renewAtDoor(crypto, { certificate: before, chain: issued.chain, signer, certificateFile }, issued.root, stage.ask, stage.now))
  const renewed = must(parseCertificate(must(readCertificates(certificateFile))[0]!))
  assert.deepEqual(renewed.spki, before.spki)
  assert.equal(end, renewed.notAfter, 'the new end is told, not the old one')
  assert.equal(renewed.subject.rdns.join(), before.subject.rdns.join())
  assert.ok(renewed.notAfter - stage.now > 29 * DAY_S)
  must(revoke(stage.options.ca, stage.options.dir, must(findIssued(stage.options.dir, renewed.serial, false, stage.now)), stage.now))
  stage.wait(1)
  const chain = must(readCertificates(certificateFile))
  const refused = await renewAtDoor(crypto, { certificate: renewed, chain, signer, certificateFile }, issued.root, stage.ask, stage.now)
  assert.ok(!refused.ok && refused.fault.code === 'IDENTITY_RENEWAL_REFUSED' && /IDENTITY_REVOKED/.test(refused.fault.message), refused.ok ? 'renewed' : refused.fault.message)
})

test('over the network: the door shows the root of the link, hands out the list, and nothing else', async () => {
  const now = () => Math.floor(Date.now() / 1000) as typeof stage.now
  const real = new AuthorityDesk('At a door')
  real.now = now()
  const door = must(await openDoor({ ...real.options, now, hosts: ['localhost', 'ca.example.org'], bind: { address: '127.0.0.1', port: 0 } }))
  try {
    const invitation = { ...real.invite('Dan', { confirmed: true }), host: 'localhost', port: door.port }
    const issued = must(await new Joining(crypto, invitation).ask(asker(crypto, connectTo), now()))!
    assert.equal(issued.name, 'Dan')
    // Through a proxy that knows names which this machine does not, as the environment says: the way of the channel.
    const [ca, other] = [`ca.example.org:${door.port}`, `other.example.org:${door.port}`]
    const proxy = await startProxy({ [ca]: door.port, [other]: door.port }, 'anna:secret')
    const at = async (host: string, way: string) => {
      Object.assign(process.env, { HTTPS_PROXY: way, NO_PROXY: '' })
      const answer = await new Joining(crypto, { ...away, host }).ask(authorityAsker(crypto), now())
      delete process.env['HTTPS_PROXY']
      delete process.env['NO_PROXY']
      return answer
    }
    const away = { ...real.invite('Dora', { confirmed: true }), port: door.port }
    const unwelcome = await at('ca.example.org', `http://127.0.0.1:${proxy.port}`)
    assert.ok(!unwelcome.ok && unwelcome.fault.code === 'IDENTITY_ENROLMENT_UNREACHABLE' && unwelcome.fault.cause?.code === 'CHANNEL_PROXY_PASSWORD', unwelcome.ok ? 'enrolled' : unwelcome.fault.message)
    // The name in the certificate counts, whoever brought us there.
    const elsewhere = await at('other.example.org', `http://anna:secret@127.0.0.1:${proxy.port}`)
    assert.ok(!elsewhere.ok && elsewhere.fault.code === 'IDENTITY_ENROLMENT_FORGED', elsewhere.ok ? 'enrolled' : elsewhere.fault.message)
    assert.equal(must(await at('ca.example.org', `http://anna:secret@127.0.0.1:${proxy.port}`))!.name, 'Dora')
    assert.deepEqual(proxy.asked, [ca, other, ca])
    await proxy.close()
    const list = must(await fetchLists(`https://localhost:${door.port}/list.crl`))
    assert.equal(must(parseRevocationList(list[0]!.der)).revoked.size, 0)
    const missing = await fetchLists(`https://localhost:${door.port}/settings.json`)
    assert.ok(!missing.ok && /HTTP 404/.test(missing.fault.message))
    const foreign = await new Joining(crypto, { ...invitation, fingerprint: new Uint8Array(32) }).ask(asker(crypto, connectTo), now())
    assert.ok(!foreign.ok && foreign.fault.code === 'IDENTITY_ENROLMENT_FORGED')
  } finally {
    await door.close()
    real.close()
  }
  const gone = await new Joining(crypto, { ...stage.invite('Eli'), host: 'localhost', port: door.port }).ask(asker(crypto, connectTo), now())
  assert.ok(!gone.ok && gone.fault.code === 'IDENTITY_ENROLMENT_UNREACHABLE')
})

test('a door that takes the connection and says nothing, or hangs up on it, is named: nobody waits for ever', async () => {
  // Patience that a slow machine does not use up where an answer comes; how the system says that somebody hung up is its own affair.
  for (const [does, patienceMs, code] of [['nothing', 50, /does not answer/], ['hangs up', 60_000, /^(?!.*does not answer)/s]] as const) {
    const held: Socket[] = []
    const silent = createServer((socket) => {
      held.push(socket.on('error', () => {}))
      if (does === 'hangs up') socket.once('data', () => socket.destroy())
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const port = (silent.address() as AddressInfo).port
    const answer = await new Joining(crypto, { ...stage.invite('Gus'), host: 'localhost', port }).ask(asker(crypto, connectTo, patienceMs), stage.now)
    assert.ok(!answer.ok && answer.fault.code === 'IDENTITY_ENROLMENT_UNREACHABLE')
    assert.match(answer.fault.message, code)
    for (const socket of held) socket.destroy()
    silent.close()
  }
})

test('the record of what the authority did shows lines taken out or changed', () => {
  const file = caFiles(stage.options.dir).audit
  const lines = readFileSync(file, 'utf8').split('\n').filter((l) => l !== '')
  assert.ok(lines.length > 3 && readAudit(crypto, file).ok)
  for (const spoilt of [lines.toSpliced(1, 1), lines.with(1, lines[1]!.replace('Example', 'Exampel')), [lines[1]!, lines[0]!, ...lines.slice(2)]]) {
    const copy = path.join(stage.dir, 'audit.jsonl')
    writeFileSync(copy, `${spoilt.join('\n')}\n`)
    const r = readAudit(crypto, copy)
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_AUDIT_BROKEN')
  }
})

test('a power cut in the middle of a line: index, revoked and audit are read, and go on behind the last whole one', () => {
  const desk = new AuthorityDesk('Torn')
  after(() => desk.close())
  const files = caFiles(desk.options.dir)
  const issue = () => must(noteIssued(desk.options.ca, desk.options.dir, issueCertificate(desk.options.ca, { name: 'Ann', kind: 'member', now: desk.now }).chain, { name: 'Ann', kind: 'member', now: desk.now }))
  issue()
  must(revoke(desk.options.ca, desk.options.dir, must(findIssued(desk.options.dir, 'Ann', false, desk.now)), desk.now))
  for (const file of [files.index, files.revoked, files.audit]) writeFileSync(file, `${readFileSync(file, 'utf8')}{"serial":"12`)
  assert.equal(must(listIssued(desk.options.dir)).length, 1)
  assert.equal(must(listRevoked(desk.options.dir)).length, 1)
  issue()
  must(revoke(desk.options.ca, desk.options.dir, must(findIssued(desk.options.dir, 'Ann', false, desk.now)), desk.now))
  assert.deepEqual([must(listIssued(desk.options.dir)).length, must(listRevoked(desk.options.dir)).length], [2, 2])
  assert.deepEqual(must(readAudit(crypto, files.audit)).map((l) => l.what), ['init', 'issue', 'revoke', 'issue', 'revoke'])
})

test('what is issued stands in the index before anybody can have it', async (t) => {
  const desk = new AuthorityDesk('Ordered')
  after(() => desk.close())
  const joining = new Joining(crypto, desk.invite('Bob', { confirmed: true }))
  // The certificate cannot be kept: as if the machine had stopped there.
  const index = caFiles(desk.options.dir).index
  t.mock.method(Invitations.prototype, 'keepIssued', () => err('IDENTITY_INTERNAL'))
  assert.equal((await joining.ask(desk.ask, desk.now)).ok, false)
  assert.match(existsSync(index) ? readFileSync(index, 'utf8') : '', /"Bob"/)
})

test('two processes write the audit at one time: one chain', async () => {
  const desk = new AuthorityDesk('Two')
  after(() => desk.close())
  const file = caFiles(desk.options.dir).audit
  const script = `import { appendAudit } from ${JSON.stringify(new URL('../../../src/pki/audit.ts', import.meta.url).href)}
import { createNodeCrypto } from ${JSON.stringify(new URL('../../../src/crypto/node/index.ts', import.meta.url).href)}
const crypto = createNodeCrypto()
for (let i = 0; i < 40; i++) { const r = appendAudit(crypto, ${JSON.stringify(file)}, { what: 'invite', name: 'x' }, 1); if (!r.ok) throw new Error(r.fault.message) }`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  await Promise.all([run(), run(), run()])
  assert.equal(must(readAudit(crypto, file)).length, 121)
})
