import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { after, before, test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import type { RevocationProof } from '../../../src/model/trust.ts'
import { issueRevocationList } from '../../../src/pki/authority.ts'
import { basicConstraints, crlAddresses, keyUsage, ocspAddress } from '../../../src/pki/certificate.ts'
import { fetchAnswer, fetchLists } from '../../../src/pki/fetch.ts'
import { RevocationFetcher } from '../../../src/pki/source.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { KEY_USAGE } from '../../../src/protocol/x509/extensions.ts'
import { verifyChain, verifyPath } from '../../../src/protocol/x509/path.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { anchorsOf, crypto, forge, NOW, testCa } from '../../kit/certificates.ts'
import { ocspRefusal, ocspResponse } from '../../kit/ocsp.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const ca = testCa()
const issuer = must(parseCertificate(ca.certificate))
const list = issueRevocationList(ca, [], 1, NOW)
let base = ''
let asked = 0
let subject = issuer
const server = createServer((request, response) => {
  asked++
  const path = request.url ?? ''
  if (path === '/moved') return void response.writeHead(302, { location: '/list.crl' }).end()
  if (path === '/round') return void response.writeHead(302, { location: '/round' }).end()
  if (path === '/pem') return void response.end(encodePem('X509 CRL', list))
  if (path === '/ocsp') return void response.end(ocspResponse(ca.signer, { subject, issuer }))
  if (path === '/busy') return void response.end(ocspRefusal(3))
  if (path === '/html') return void response.end('<html>no such list</html>')
  if (path === '/endless') return void response.end(new Uint8Array(5 * 1024 * 1024))
  if (path === '/list.crl') return void response.end(list)
  response.writeHead(404).end()
})
before(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => {
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  resolve()
})))
after(() => {
  server.close()
  server.closeAllConnections()
})

test('lists in DER and PEM, behind a redirect; everything else is a fault that names the address', async () => {
  for (const path of ['/list.crl', '/pem', '/moved']) assert.deepEqual(must(await fetchLists(base + path)).map((p) => p.der), [list], path)
  for (const path of ['/round', '/html', '/endless', '/nothing']) {
    const r = await fetchLists(base + path)
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_FETCH_FAILED' && r.fault.message.includes(path), path)
  }
  for (const address of ['file:///etc/passwd', 'ldap:///CN=x', 'http://127.0.0.1:1/list.crl', 'http://']) {
    const r = await fetchLists(address)
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_FETCH_FAILED', address)
  }
})

test('a server that ends in the middle of its answer, and one that ends it by closing', async () => {
  const door = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (asked) => {
      const cut = asked.toString('latin1').startsWith('GET /cut')
      socket.write(`HTTP/1.1 200 OK\r\n${cut ? `content-length: ${list.length}\r\n` : ''}connection: close\r\n\r\n`)
      socket.end(cut ? list.subarray(0, list.length >> 1) : list)
    })
  })
  await new Promise<void>((resolve) => void door.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
  const cut = await fetchLists(`${at}/cut`)
  assert.ok(!cut.ok && cut.fault.code === 'IDENTITY_FETCH_FAILED' && cut.fault.message.includes('closed'))
  assert.deepEqual(must(await fetchLists(`${at}/whole`)).map((p) => p.der), [list])
  door.close()
})

test('OCSP answers', async () => {
  subject = must(parseCertificate(forge(ca)))
  const proof = must(await fetchAnswer(crypto, `${base}/ocsp`, subject, issuer))
  assert.ok(verifyPath(crypto, [subject.der], anchorsOf(ca), [proof], NOW, 'member', 'required').ok)
  const busy = await fetchAnswer(crypto, `${base}/busy`, subject, issuer)
  assert.ok(!busy.ok && busy.fault.cause?.code === 'IDENTITY_OCSP_REFUSED')
})

test('a source keeps what verified paths name fresh, asks each place once, and forgets nothing that is wanted', async () => {
  const clock = new VirtualClock()
  const faults: string[] = []
  const source = new RevocationFetcher(crypto, clock, (f) => faults.push(f.code))
  const good = [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)]
  const path = (...extensions: Uint8Array[]) => must(verifyChain(crypto, [forge(ca, { extensions: [...good, ...extensions] })], anchorsOf(ca), [], NOW)).path
  const next = () => new Promise<RevocationProof>((resolve) => source.onProofs(([p]) => resolve(p!)))
  asked = 0
  let got = next()
  const listed = path(crlAddresses(`${base}/list.crl`, 'ldap:///CN=x'), ocspAddress(`${base}/ocsp`))
  for (let i = 0; i < 5; i++) source.want(listed, true)
  assert.equal((await got).kind, 'crl')
  assert.equal(asked, 1, 'a list serves everybody: no answers are asked for beside it')
  got = next()
  await clock.advance(300_000)
  assert.equal((await got).kind, 'crl')
  assert.equal(asked, 2)
  got = next()
  source.want(path(ocspAddress(`${base}/ocsp`)), false)
  assert.equal((await got).kind, 'ocsp')
  source.want(path(crlAddresses(`${base}/nothing`)), false)
  while (faults.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(faults, ['IDENTITY_FETCH_FAILED'])
  source.stop()
})
