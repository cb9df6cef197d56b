/** What says that it comes from port 0, where nobody can be answered: the doors of SIP and of media stay open. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { createSipHandset } from '../../src/client/handset/sip/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { nodeUdp } from '../../src/net/node-udp.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { rtpPacket } from '../kit/plain-peer.ts'
import { planeCall } from '../kit/plane-call.ts'
import { planeWorlds } from '../kit/plane-worlds.ts'
import { portZero } from '../kit/port-zero.ts'

const crypto = createNodeCrypto()
const here = { address: '127.0.0.1', port: 0 }
const zero = portZero()
const skip = zero === undefined ? 'no right to raw sockets here' : false

/** Senders that answers cannot reach: by where they come from, or by what their Via says. */
const request = (n: number, sentBy: string, rport: boolean, method = 'OPTIONS'): Uint8Array => utf8([
  `${method} sip:room@127.0.0.1 SIP/2.0`, `Via: SIP/2.0/UDP ${sentBy};branch=z9hG4bK${n}${rport ? ';rport' : ''}`, 'Max-Forwards: 70', `From: <sip:a@127.0.0.1>;tag=${n}`, 'To: <sip:room@127.0.0.1>',
  `Call-ID: ${n}@a`, `CSeq: 1 ${method}`, 'Contact: <sip:a@127.0.0.1:5099>', 'Content-Length: 0', '', '',
].join('\r\n'))

test('requests at the handset’s door: the next phone is answered', { skip }, async () => {
  using handset = must(await createSipHandset({ line: 'desk', scheduler: realScheduler(), crypto, users: new Map(), bind: here, transports: ['UDP'] }))
  const door = handset.addresses[0]!
  const phone = await nodeUdp().bind(here)
  let n = 0
  for (const method of ['OPTIONS', 'INVITE', 'REGISTER', 'NEW']) {
    for (const sentBy of ['127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:99999', '127.0.0.1']) {
      for (const rport of [true, false]) {
        zero!.send(request(++n, sentBy, rport, method), door)
        phone.send(request(++n, sentBy, rport, method), door)
      }
    }
  }
  zero!.send(utf8('INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;rport\r\n\r\n'), door)
  const answer = Promise.withResolvers<string>()
  phone.onMessage((data) => {
    const text = fromUtf8(data) ?? ''
    if (text.includes('Call-ID: last@a')) answer.resolve(text)
  })
  phone.send(utf8(fromUtf8(request(++n, `127.0.0.1:${phone.local.port}`, true))!.replace(`Call-ID: ${n}@a`, 'Call-ID: last@a')), door)
  assert.match(await answer.promise, /^SIP\/2\.0 200 /)
  phone.close()
})

for (const [name, make] of planeWorlds) if (!name.includes('simulated')) test(`${name}: a member and a phone’s side that send from there move nothing, and the call goes on`, { skip }, async () => {
  const w = await make()
  const { a, b, party, opened } = await planeCall(w, 101)
  party.to = opened
  // First of all the peer’s host, before the peer itself was heard: it would be latched.
  zero!.send(rtpPacket({ sequence: 1, timestamp: 1, ssrc: 7, payload: new Uint8Array(20).fill(1) }), opened.rtp)
  zero!.send(a.client.message({ subtype: 0, token: new Uint8Array(8), use: true }), w.plane.local)
  zero!.send(a.client.rtp(101, 1, new Uint8Array(50).fill(1)), w.plane.local)
  const up = (): void => b.client.send(200, 160, new Uint8Array(30).fill(3))
  for (let tries = 0; party.heard.length === 0; tries++) {
    assert.ok(tries < 50, 'the peer hears the call')
    up()
    let turns = 0
    await w.until(() => party.heard.length > 0 || ++turns > 200)
  }
  a.client.send(101, 320, new Uint8Array(40).fill(2))
  await w.until(() => b.client.heard.some((h) => h.ssrc === 101 && h.payload.length === 40))
  assert.equal(w.plane.stats().find((s) => s.leg === a.leg)!.address?.port, a.client.socket.local.port)
  assert.equal(w.plane.stats().find((s) => s.leg === opened.leg)!.address?.port, party.peer.rtp.port)
  w.end()
})
