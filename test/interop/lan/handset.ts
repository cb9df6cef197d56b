/** Run by `../lan.test.ts` inside a network namespace that has 192.0.2.1. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { must } from '../../../src/base/result.ts'
import { Secret } from '../../../src/base/secret.ts'
import { createSipHandset } from '../../../src/client/handset/sip/index.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { realScheduler } from '../../../src/net/scheduler.ts'
import { EchoClient } from '../../kit/echo-client.ts'
import { freePorts } from '../../kit/free-ports.ts'
import { startBaresip } from '../../kit/phones/baresip.ts'
import { startLinphonec } from '../../kit/phones/linphonec.ts'
import { mustPass } from '../../kit/phones/sipp.ts'
import { TestAuthority } from '../../kit/stc.ts'
import { tone } from '../../kit/tones.ts'
import { writeWav } from '../../kit/wav.ts'

const address = '192.0.2.1'
const folder = mkdtempSync(path.join(tmpdir(), 'stc-lan-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const microphone = path.join(folder, 'microphone.wav')
writeWav(microphone, tone(1033, { rate: 16000, seconds: 240 }))
const authority = new TestAuthority(folder, 'ca')
const identity = authority.server(address)

async function desk(t: TestContext): Promise<{ client: EchoClient; port: number }> {
  const port = await freePorts(4)
  const handset = must(
    await createSipHandset({
      line: 'desk', scheduler: realScheduler(), crypto: createNodeCrypto(), users: new Map([['anna', new Secret(utf8('correct-horse'))]]),
      bind: { address, port }, transports: ['UDP', 'TCP', 'TLS'], srtp: 'offered',
      tls: { cert: readFileSync(identity.certificate, 'utf8'), key: readFileSync(identity.key, 'utf8') },
    }),
  )
  const client = new EchoClient(handset)
  t.after(() => client.stop())
  return { client, port }
}

for (const [name, start] of [['baresip', startBaresip], ['linphonec', startLinphonec]] as const) {
  test(`${name} registers and calls with its password`, { timeout: 300_000 }, async (t) => {
    const { client, port } = await desk(t)
    const phone = await start({ name: 'anna', address, codecs: ['g722'], microphone, registrar: { address, port, password: 'correct-horse' } })
    t.after(() => phone.stop())
    await phone.events.next('registered')
    phone.dial(`sip:8100@${address}:${port}`)
    assert.equal((await client.next('dial')).target, '8100')
    await phone.events.next('established')
    phone.hangup()
    await client.next('ended')
  })

  test(`${name} with a wrong password gets nowhere`, { timeout: 300_000 }, async (t) => {
    const { client, port } = await desk(t)
    const phone = await start({ name: 'anna', address, codecs: ['g722'], microphone, registrar: { address, port, password: 'wrong' } })
    t.after(() => phone.stop())
    await phone.events.next('unregistered', 40_000)
    phone.dial(`sip:8100@${address}:${port}`)
    await phone.events.next('closed')
    assert.deepEqual(client.events, [])
  })

  test(`${name} over TLS with SRTP`, { timeout: 300_000 }, async (t) => {
    const { client, port } = await desk(t)
    const phone = await start({
      name: 'anna', address, codecs: ['g722'], microphone, srtp: true, caFile: authority.anchor,
      registrar: { address, port: port + 1, password: 'correct-horse', transport: 'tls' },
    })
    t.after(() => phone.stop())
    await phone.events.next('registered')
    phone.dial(`sip:8100@${address}:${port + 1};transport=tls`)
    const { media } = await client.next('dial')
    assert.ok(media.kind === 'rtp' && media.srtp !== undefined)
    await phone.events.next('established')
    phone.hangup()
    await client.next('ended')
  })
}

test('SRTP keys in the clear are not taken', { timeout: 300_000 }, async (t) => {
  const { client, port } = await desk(t)
  const phone = await startBaresip({ name: 'anna', address, codecs: ['g722'], microphone, srtp: true, registrar: { address, port, password: 'correct-horse' } })
  t.after(() => phone.stop())
  await phone.events.next('registered')
  phone.dial(`sip:8100@${address}:${port}`)
  await phone.events.next('closed')
  assert.deepEqual(client.events.filter((e) => e.kind === 'dial'), [])
})

test('sipp answers the challenge, and guesses in vain', { timeout: 300_000 }, async (t) => {
  const { client, port } = await desk(t)
  const remote = { address, port }
  await mustPass('register-digest', { remote, local: address, user: 'anna', password: 'correct-horse' })
  await client.next('registered')
  const before = client.events.length
  await mustPass('register-wrong-password', { remote, local: address, user: 'anna', password: 'battery-staple' })
  assert.equal(client.events.length, before)
})
