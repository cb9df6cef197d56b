/** A user in trouble: doctor, status, logs, trace and report of a real client, with secrets planted and none of them found. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { issueRevocationList } from '../../src/pki/authority.ts'
import { loadCa } from '../../src/pki/ca-directory.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { decodePem, encodePem } from '../../src/protocol/x509/pem.ts'
import { doctorGerman } from '../../src/cli/doctor/german.ts'
import { startProxy } from '../kit/connect-proxy.ts'
import { freePorts } from '../kit/free-ports.ts'
import { run, until } from '../kit/processes.ts'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'
import { sdpOffer, UdpPhone } from '../kit/udp-phone.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-support-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const SECRETS = { password: 'Zwiebelkuchen77', digest: 'd1gestANSWERd1gestANSWER', sdes: 'SDESkeySDESkeySDESkey0123456789abcdefXY', pin: '4711081500', text: 'quarterlyFigures9', token: 'tokTOKtok12345' }

const stc = (...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> => stcWith({}, ...args)
async function stcWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const child = run(process.execPath, [program, ...args], { env: { ...process.env, ...env } })
  await until(60_000, `stc ${args.join(' ')}`, () => child.ended || undefined, child.tail)
  return { code: Number(await child.exit), out: child.output() }
}

/** Asked until its answer has this: what a client does reaches its files, its counters and the server's log a moment later. */
async function tells(what: RegExp, ...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  let last = ''
  return until(20_000, `${what} by stc ${args.join(' ')}`, async () => {
    const answer = await stc(...args)
    last = answer.out
    return what.test(last) ? answer : undefined
  }, () => last, 200)
}

/** Each sentence of the doctor has its German. */
function inBoth(out: string): string {
  for (const [, sentence] of out.matchAll(/^(?:ok {3}|WRONG|risky|\? {4}| {5}\u2192) (.*)$/gm)) if (!/^stc explain [A-Z0-9_]+$/.test(sentence!)) assert.notEqual(doctorGerman(sentence!), undefined, `no German for: ${sentence}`)
  return out
}

/** A phone that says more than it should. */
function chatter(port: number): Promise<void> {
  const message = (method: string, headers: readonly string[], body: string): string => [
    `${method} sip:8100@127.0.0.1 SIP/2.0`, 'Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK1;rport', 'Max-Forwards: 70', `From: "Zora Zimmermann" <sip:zora:${SECRETS.password}@127.0.0.1>;tag=1`, 'To: <sip:8100@127.0.0.1>', `Call-ID: trace-${method}@phone`,
    `CSeq: 1 ${method}`, 'Contact: <sip:zora@127.0.0.1:5999>', `Authorization: Digest username="zora", realm="stc", nonce="x", uri="sip:x", response="${SECRETS.digest}"`, `X-Token: ${SECRETS.token}`, ...headers, `Content-Length: ${body.length}`, '', body,
  ].join('\r\n')
  const socket = createSocket('udp4')
  const all = [message('MESSAGE', ['Content-Type: text/plain'], SECRETS.text), message('INFO', ['Content-Type: application/dtmf-relay'], `Signal=${SECRETS.pin}`), message('OPTIONS', ['Content-Type: application/sdp'], `v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${SECRETS.sdes}\r\n`)]
  return new Promise((resolve) => {
    let answers = 0
    socket.on('message', () => {
      if (++answers === all.length) socket.close(() => resolve())
    })
    socket.bind(0, '127.0.0.1', () => {
      for (const m of all) socket.send(m, port, '127.0.0.1')
    })
  })
}

test('what a user asks of a running client, and what a report gives away', { timeout: 240_000 }, async (t) => {
  const authority = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, authority.server())
  t.after(() => server.stop())
  const papers = authority.member('zora')
  const file = path.join(folder, 'zora.yaml')
  const client = await startClient(folder, 'zora', server.port, papers, { phone: { users: { zora: SECRETS.password } }, config: { page: { port: 0 } } })
  t.after(() => client.stop())
  await client.shows(/media to the server: udp/)
  const pageSecret = (await client.shows(/#key=([0-9a-f]+)/))[1]!
  await chatter(client.sip.port)

  const status = await tells(/server +127\.0\.0\.1: connected, media over UDP/, 'status', '-c', file)
  assert.equal(status.code, 0, status.out)
  assert.match(status.out, /you +zora/)
  assert.ok(!status.out.includes(pageSecret))
  const asJson = JSON.parse((await stc('status', '-c', file, '--json')).out) as { lines: { server: { up: boolean } }[] }
  assert.equal(asJson.lines[0]!.server.up, true)
  await tells(/connected to the server/, 'logs', '-c', file)
  const trace = await tells(/phone ──▶ stc {2}OPTIONS sip:8100/, 'trace', '-c', file, '--full')
  assert.match(trace.out, /phone ◀── stc {2}SIP\/2\.0 \d{3}/)

  const out = path.join(folder, 'report.txt')
  const report = await stc('report', '-c', file, '-o', out)
  assert.equal(report.code, 0, report.out)
  const text = readFileSync(out, 'utf8')
  for (const part of ['== configuration ==', '== findings ==', 'good    voice gets through directly (UDP', 'risky   no phone is registered as', 'connected to the server', 'OPTIONS sip:']) assert.ok(text.includes(part), `${part} is missing from\n${text}`)
  const key = readFileSync(papers.key, 'utf8').split('\n')[1]!
  for (const [what, secret] of Object.entries({ ...SECRETS, pageSecret, key: key.slice(0, 24), name: 'Zimmermann', user: 'zora', mail: '@example.org' })) {
    assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `the report gives ${what} away:\n${text.split('\n').filter((l) => l.toLowerCase().includes(secret.toLowerCase())).join('\n')}`)
    if (Object.hasOwn(SECRETS, what)) assert.ok(!trace.out.includes(secret), `the trace gives ${what} away`)
  }

  // One call, and the same name for it wherever somebody looks: status, the client's log, the server's, the journal.
  const phone = await UdpPhone.open('127.0.0.1', client.sip, 'zora', SECRETS.password)
  t.after(() => phone.close())
  assert.equal((await phone.invite('8weekly', sdpOffer('127.0.0.1', await freePorts(2), ['m=audio PORT RTP/AVP 0']))).status, 200)
  const lines = (text: string): { readonly room?: string; readonly call?: string; readonly text?: string }[] => text.slice(0, text.lastIndexOf('\n') + 1).split('\n').flatMap((l) => (l.startsWith('{') ? [JSON.parse(l)] : []))
  const named = (text: string): (string | undefined)[] => [...new Set(lines(text).filter((l) => l.room === 'weekly' && l.call !== undefined).map((l) => l.call))]
  const calls = (what: string, text: () => Promise<string> | string): Promise<(string | undefined)[]> => until(20_000, `the call in ${what}`, async () => {
    const found = named(await text())
    return found.length > 0 ? found : undefined
  }, undefined, 200)
  const [id, ...others] = await calls('the log', async () => (await stc('logs', '-c', file, '--json')).out)
  assert.match(id ?? 'none', /^[0-9a-f]{16}$/)
  assert.deepEqual(others, [])
  await tells(new RegExp(`^call +weekly: .*, call ${id}$`, 'm'), 'status', '-c', file)
  assert.deepEqual(await calls('the log of the server', server.process.output), [id], server.process.tail())
  assert.deepEqual(await calls('the journal', async () => (await stc('journal', 'export', '-c', file, '--call', id!)).out), [id])
  await tells(/weekly/, 'journal', 'show', '-c', file, '--call', id!)
  assert.equal((await phone.bye('8weekly')).status, 200)
})

test('doctor names what is in the way: another authority, a proxy that refuses, a server that is gone', { timeout: 240_000 }, async (t) => {
  const ours = new TestAuthority(folder, 'ours')
  const evil = new TestAuthority(folder, 'Evil Inspection Ltd')
  const papers = ours.member('yuri')
  const server = await startServer(folder, ours.server('talk.stc.invalid'))
  t.after(() => server.stop())
  const proxy = await startProxy({ 'talk.stc.invalid:7443': server.port }, 'yuri:Pr0xyPass')
  t.after(() => proxy.close())
  const file = path.join(folder, 'yuri.yaml')
  const doctor = (change: object, ...more: string[]) => {
    writeFileSync(file, stringify({ server: { host: 'talk.stc.invalid', port: 7443, ...change }, identity: papers, page: false }))
    return stc('doctor', '-c', file, ...more)
  }
  const through = await doctor({ proxy: `http://yuri:Pr0xyPass@127.0.0.1:${proxy.port}`, mediaOverTls: 'only' }, '--json')
  const found = JSON.parse(through.out) as { wrong: number; findings: { level: string; text: string }[] }
  assert.equal(found.wrong, 0, through.out)
  for (const f of found.findings) assert.notEqual(doctorGerman(f.text), undefined, `no German for: ${f.text}`)
  assert.ok(found.findings.some((f) => f.level === 'risky' && /voice takes the detour over TLS/.test(f.text)), through.out)
  assert.ok(found.findings.some((f) => /lets us in/.test(f.text)))
  assert.ok(proxy.asked.length >= 3 && proxy.asked.every((a) => a === 'talk.stc.invalid:7443'), 'look, channel and media go through the proxy')

  const refused = await doctor({ proxy: `http://127.0.0.1:${proxy.port}` })
  assert.equal(refused.code, 1)
  assert.match(inBoth(refused.out), /WRONG.*CHANNEL_PROXY_PASSWORD/)
  assert.match(inBoth((await doctor({ proxy: 'none' })).out), /WRONG (talk\.stc\.invalid has no address|the name servers of this machine do not answer)/)
  assert.match(inBoth((await doctor({ host: '127.0.0.1', port: 9 })).out), /WRONG.*CHANNEL_UNREACHABLE/)
  const inspected = path.join(folder, 'inspected')
  const other = await startServer(inspected, evil.server())
  t.after(() => other.stop())
  const intercepted = await doctor({ host: '127.0.0.1', port: other.port })
  assert.equal(intercepted.code, 1)
  assert.match(inBoth(intercepted.out), /WRONG SOMEBODY ELSE answers in the server's place.*Evil Inspection Ltd/)
  assert.ok(!intercepted.out.includes('lets us in'), 'nothing is said to somebody else')
  assert.ok(parse(readFileSync(file, 'utf8')) !== null)
})

test('doctor names what else is wrong: UDP blocked, the clock, no telephone system, a taken phone address, an expired and a revoked certificate', { timeout: 240_000 }, async (t) => {
  const authority = new TestAuthority(folder, 'plenty')
  const papers = authority.member('xenia')
  // Voice is sent to where nobody is: as a network does that drops UDP.
  const server = await startServer(path.join(folder, 'deaf'), authority.server(), { advertise: [{ address: '127.0.0.1', port: await freePorts(1) }] })
  t.after(() => server.stop())
  const file = path.join(folder, 'xenia.yaml')
  const configure = (identity: object, more: object): void => writeFileSync(file, stringify({ server: { host: '127.0.0.1', port: server.port }, identity, page: false, ...more }))
  const softphone = createSocket('udp4')
  t.after(() => softphone.close())
  await new Promise<void>((resolve) => softphone.bind(0, '127.0.0.1', resolve))
  configure(papers, { upstream: 'server', phones: [{ port: softphone.address().port }] })
  const much = await stcWith({ NODE_OPTIONS: '--import=data:text/javascript,const%20n=Date.now;Date.now=()=>n()+3e5' }, 'doctor', '-c', file)
  assert.equal(much.code, 1, much.out)
  for (const finding of [/risky UDP does not get through: voice takes the detour over TLS/, /WRONG the clock of this machine is (299|30\d|31\d) s ahead of the server's/, /WRONG phones should reach a telephone system \(upstream: server\), but the server has none/, /WRONG another program has the address of phone phone/]) assert.match(inBoth(much.out), finding)

  configure(authority.member('old', { issuedDaysAgo: 5, lifetimeDays: 1 }), {})
  const old = await stc('doctor', '-c', file, '--offline')
  assert.equal(old.code, 1)
  assert.match((await stcWith({ STC_LANGUAGE: 'de' }, 'doctor', '-c', file, '--offline')).out, /^FALSCH Das Zertifikat ist abgelaufen.*\[IDENTITY_EXPIRED\][\s\S]*^1 falsch, 0 heikel/m)
  inBoth(old.out)
  assert.match(old.out, /WRONG The certificate has expired.*\[IDENTITY_EXPIRED\]/)

  const certificate = must(parseCertificate(decodePem(readFileSync(papers.certificate, 'latin1'))[0]!.bytes!))
  using ca = must(loadCa(createNodeCrypto(), path.join(folder, 'plenty')))
  const now = unixTime(Math.floor(Date.now() / 1000))
  const list = path.join(folder, 'revoked.pem')
  writeFileSync(list, encodePem('X509 CRL', issueRevocationList(ca, [{ serial: certificate.serial, when: now }], 1, now)))
  configure({ ...papers, revocation: { lists: [list] } }, {})
  const revoked = await stc('doctor', '-c', file, '--offline')
  assert.equal(revoked.code, 1)
  assert.match(inBoth(revoked.out), /WRONG The certificate has been revoked.*\n.*code IDENTITY_REVOKED/)
})
