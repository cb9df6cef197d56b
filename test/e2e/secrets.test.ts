/** No password and no key in anything that the programs print, however talkative they are. */
import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { digestHa1 } from '../../src/protocol/sip/index.ts'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'
import { sdpOffer, UdpPhone } from '../kit/udp-phone.ts'

/** Every way in which octets are likely to be printed. */
const spellings = (name: string, octets: Uint8Array): [string, string][] => {
  const b = Buffer.from(octets)
  return [[`${name} in hex`, b.toString('hex')], [`${name} in base64`, b.toString('base64')], [`${name} in base64url`, b.toString('base64url')], [`${name} as numbers`, [...b].join()], [`${name} as JSON`, [...b].map((v, i) => `"${i}":${v}`).join()]]
}

function keySecrets(name: string, file: string): [string, string][] {
  const text = readFileSync(file, 'utf8')
  const key = createPrivateKey(text)
  const scalar = Buffer.from((key.export({ format: 'jwk' }) as { d: string }).d, 'base64url')
  const lines = text.split('\n').filter((l) => l !== '' && !l.startsWith('-')).map((l, i): [string, string] => [`line ${i} of ${name}`, l])
  return [...lines, ...spellings(`PKCS#8 of ${name}`, key.export({ type: 'pkcs8', format: 'der' })), ...spellings(`scalar of ${name}`, scalar)]
}

const found = (secrets: readonly [string, string][], output: string): string[] => secrets.filter(([, s]) => output.toLowerCase().includes(s.toLowerCase())).map(([name]) => name)

test('server and client print no password, no key and nothing that stands for them', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-secrets-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const ca = new TestAuthority(folder, 'ca')
  const [own, papers] = [ca.server(), ca.member('ann')]
  const server = await startServer(folder, own, { log: 'debug' })
  t.after(() => server.stop())
  const password = `pw-${randomBytes(9).toString('hex')}`
  const client = await startClient(folder, 'ann', server.port, papers, { phone: { address: '0.0.0.0', users: { ann: password } }, config: { log: 'debug' } })
  t.after(() => client.stop())
  await client.shows(/connected to/)
  // Told as something that a phone can dial.
  await client.shows(/dial at sip:ann@(?!0\.0\.0\.0)[0-9.]+:\d+/)

  // Off loopback a password is asked for, where this machine has an address to ask from.
  const address = Object.values(networkInterfaces()).flat().find((a) => a?.family === 'IPv4' && !a.internal)?.address
  const from = address ?? '127.0.0.1'
  const sip = { address: from, port: client.sip.port }
  const stranger = await UdpPhone.open(from, sip, 'ann', `${password}x`)
  t.after(() => stranger.close())
  assert.equal((await stranger.register()).status, address === undefined ? 200 : 401)
  const phone = await UdpPhone.open(from, sip, 'ann', password)
  t.after(() => phone.close())
  assert.equal((await phone.register()).status, 200)
  await client.shows(/registered/)
  const sdes = randomBytes(30)
  const offer = sdpOffer(from, 40_000, ['m=audio PORT RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${sdes.toString('base64')}`])
  const local = await UdpPhone.open('127.0.0.1', client.sip, 'ann')
  t.after(() => local.close())
  const answer = await local.invite('8100', offer.replaceAll(from, '127.0.0.1'))
  assert.equal(answer.status, 200, answer.text)
  const answered = Buffer.from(/inline:([A-Za-z0-9+/=]+)/.exec(answer.body)?.[1] ?? '', 'base64')
  assert.equal(answered.length, 30)
  await client.shows(/security code/)
  assert.equal((await local.bye('8100')).status, 200)
  await client.shows(/left|hung up/)
  await client.stop()
  await server.stop()

  const crypto = createNodeCrypto()
  const secrets: [string, string][] = [
    ['the password', password], ['a private key', 'PRIVATE KEY'],
    ...(['MD5', 'SHA-256'] as const).map((a): [string, string] => [`HA1 with ${a}`, digestHa1(crypto, a, 'ann', 'stc', password)]),
    ...keySecrets('the server', own.key), ...keySecrets('the client', papers.key), ...spellings('the phone\'s SRTP key', sdes.subarray(0, 16)), ...spellings('our SRTP key', answered.subarray(0, 16)),
    ...spellings('the phone\'s SDES', sdes), ...spellings('our SDES', answered),
  ]
  const output = server.process.output() + client.process.output()
  assert.ok(output.length > 500, output)
  // The search finds what is there.
  for (const [name, secret] of secrets) assert.ok(found(secrets, `${output} x${secret}x`).includes(name), name)
  assert.deepEqual(found(secrets, output), [])
})
