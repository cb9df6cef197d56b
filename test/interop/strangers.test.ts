/** Who has no good certificate gets nowhere at the real server, and both ends say why. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { until } from '../kit/processes.ts'
import { type Papers, type StcServer, startClient, startServer, TestAuthority } from '../kit/stc.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-strangers-'))
const ours = new TestAuthority(folder, 'ours')
const elsewhere = new TestAuthority(folder, 'elsewhere')
let server: StcServer
before(async () => {
  server = await startServer(folder, ours.server())
})
after(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The channel's handshake (RFC 6455 §4.1) by hand, as somebody would who does not use our client. Gives all that came back. */
function knock(papers: Papers | undefined): Promise<string> {
  const own = papers === undefined ? {} : { cert: readFileSync(papers.certificate), key: readFileSync(papers.key) }
  const lines = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: stc.v1', '', '']
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, servername: 'localhost', ca: readFileSync(ours.anchor), ...own }, () => socket.write(lines.join('\r\n')))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (/^HTTP\/1.1 101 /.test(text)) socket.destroy()
    })
    // A server that has said all and closes may be quicker than what was still on the way to it.
    socket.on('error', (e) => (text === '' ? reject(e) : resolve(text)))
    socket.on('close', () => resolve(text))
  })
}

const logged = (code: string): Promise<true> => until(10_000, `${code} in the server's log`, () => server.process.output().includes(`"code":"${code}"`) || undefined, server.process.tail)

test('a member of the realm gets in: the control', async () => {
  assert.match(await knock(ours.member('good')), /^HTTP\/1.1 101 /)
})

const strangers: [string, Papers | undefined, string][] = [
  ['a certificate from another authority', elsewhere.member('mallory'), 'IDENTITY_UNKNOWN_ISSUER'],
  ['an expired certificate', ours.member('late', { issuedDaysAgo: 5, lifetimeDays: 1 }), 'IDENTITY_EXPIRED'],
  ['no certificate', undefined, 'CHANNEL_NO_CERTIFICATE'],
]
for (const [what, papers, code] of strangers) {
  test(`a stranger with ${what} is told ${code}`, async () => {
    const answer = await knock(papers)
    assert.match(answer, /^HTTP\/1.1 403 /)
    assert.ok(answer.includes(`"code":"${code}"`), answer)
    await logged(code)
  })
}

test('stc client says why it may not come in, before it connects where it can know', { timeout: 300_000 }, async (t) => {
  for (const [name, papers, code] of [['foreign', { ...elsewhere.member('foreign'), anchors: [ours.anchor] }, 'IDENTITY_UNKNOWN_ISSUER'], ['old', ours.member('old', { issuedDaysAgo: 5, lifetimeDays: 1 }), 'IDENTITY_EXPIRED']] as const) {
    await assert.rejects(startClient(folder, name, server.port, papers), new RegExp(code))
  }
  // Trusts both authorities, so it learns from the server alone that this is one-sided.
  const hopeful = await startClient(folder, 'hopeful', server.port, { ...elsewhere.member('hopeful'), anchors: [ours.anchor, elsewhere.anchor] })
  t.after(() => hopeful.stop())
  await hopeful.shows(/not connected: .*authority that is not trusted/)
})

test('a server from another authority is not believed', { timeout: 300_000 }, async (t) => {
  const impostor = await startServer(path.join(folder, 'impostor'), { ...elsewhere.server(), anchors: [ours.anchor, elsewhere.anchor] })
  t.after(() => impostor.stop())
  const careful = await startClient(folder, 'careful', impostor.port, ours.member('careful'))
  t.after(() => careful.stop())
  await careful.shows(/not connected: .+/)
  assert.doesNotMatch(careful.process.output(), /^connected to/m)
})
