/** A phone's own SRTP in calls through a provider: its keys are for its leg alone, and the roster says how its sound gets here. Virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '../../../../src/base/bytes.ts'
import type { PlainPeer } from '../../../../src/media/plain/spec.ts'
import { lineAtProvider } from '../../../kit/line-provider.ts'
import { sdpOf } from '../../../kit/sip-phone.ts'

const at = '192.0.2.20'
const inline = Buffer.alloc(28, 'k').toString('base64')

async function calls(o: { readonly transport: 'TLS' | 'UDP'; readonly address: string; readonly secure: boolean }) {
  const w = lineAtProvider(() => true)
  w.client.start()
  await w.pass(300)
  const phone = await w.desk({ transport: o.transport, address: o.address, srtp: 'offered' })
  phone.invite({ uri: 'sip:102@provider.example', to: '<sip:102@provider.example>', body: sdpOf(o.secure ? ['m=audio 17000 RTP/SAVP 0', `a=crypto:1 AEAD_AES_128_GCM inline:${inline}`] : ['m=audio 17000 RTP/AVP 0'], o.address) })
  await w.pass(300)
  phone.ack()
  await w.pass()
  assert.equal(phone.last.status, 200)
  const peers = w.media.flatMap((c) => (c.op === 'call.peer' ? [c.peer] : []))
  const towards = (address: string): PlainPeer => peers.findLast((p) => p.rtp.address === address)!
  const [call] = w.client.calls
  return { w, phone, towards, call: call! }
}

test('keys of the phone are for its own leg, whatever the provider has: neither its leg nor its messages get them', async () => {
  const { w, phone, towards } = await calls({ transport: 'TLS', address: at, secure: true })
  assert.equal(Buffer.from(towards(at).srtp!.receive.masterKey).toString('base64'), Buffer.alloc(16, 'k').toString('base64'))
  assert.ok(fromUtf8(phone.last.body)!.includes(`inline:${Buffer.concat([towards(at).srtp!.send.masterKey, towards(at).srtp!.send.masterSalt]).toString('base64')}`))
  assert.equal(towards('10.0.0.9').srtp, undefined)
  for (const r of w.provider.requests) assert.doesNotMatch(fromUtf8(r.body)!, /crypto|SAVP/)
})

test('a sealed call says how the sound of its phone gets here', async () => {
  for (const [o, leg] of [
    [{ transport: 'TLS', address: at, secure: true }, 'encrypted'], [{ transport: 'TLS', address: at, secure: false }, 'plain-lan'],
    [{ transport: 'UDP', address: at, secure: false }, 'plain-lan'], [{ transport: 'UDP', address: '127.0.0.1', secure: false }, 'local'],
  ] as const) assert.equal((await calls(o)).call.roster.phoneLeg, leg, JSON.stringify(o))
})
