/** A SIP phone in a room, its leg protected by SDES-SRTP: signalling and audio over real sockets. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { codecFactory } from '../../src/audio/codecs.ts'
import { must } from '../../src/base/result.ts'
import { newRtpHeader, parseRtp } from '../../src/protocol/rtp/header.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'
import { freePorts } from '../kit/free-ports.ts'
import { until } from '../kit/processes.ts'
import { RealWorld, shareOf } from '../kit/real-room.ts'
import { crypto } from '../kit/real-server.ts'
import { tone } from '../kit/room-tones.ts'
import { sdpOffer, UdpPhone } from '../kit/udp-phone.ts'

const SUITE = 'AES_CM_128_HMAC_SHA1_80'
const HZ = 1100

test('a phone with SDES hears the room and is heard, both ways under SRTP, over hold and resume', async (t) => {
  const w = await RealWorld.start(t)
  const port = await freePorts(2)
  const [robot, desk] = await Promise.all([w.member('Robin', { hz: 500 }), w.member('Ann', { phones: [{ port }] })])
  await robot.dial()
  await desk.connected()

  const rtp = createSocket('udp4').bind(0, '127.0.0.1')
  await once(rtp, 'listening')
  const sip = await UdpPhone.open('127.0.0.1', { address: '127.0.0.1', port }, 'ann')
  const [key, salt] = [crypto.bytes(16), crypto.bytes(14)]
  const inline = Buffer.concat([key, salt]).toString('base64')
  const offer = (direction: string): string => sdpOffer('127.0.0.1', rtp.address().port, ['m=audio PORT RTP/SAVP 0', `a=crypto:1 ${SUITE} inline:${inline}`, `a=${direction}`])
  const answer = await sip.invite('8100', offer('sendrecv'))
  assert.equal(answer.status, 200, answer.text)
  assert.match(answer.body, /m=audio \d+ RTP\/SAVP 0/)
  const theirs = Buffer.from(/inline:([A-Za-z0-9+/=]+)/.exec(answer.body)![1]!, 'base64')
  const to = Number(/m=audio (\d+)/.exec(answer.body)![1])

  const sender = must(createSrtpSender(crypto, { suite: SUITE, masterKey: key, masterSalt: salt }))
  const receiver = must(createSrtpReceiver(crypto, { suite: SUITE, masterKey: new Uint8Array(theirs.subarray(0, 16)), masterSalt: new Uint8Array(theirs.subarray(16)) }))
  const codec = codecFactory().create('pcmu')
  const header = newRtpHeader()
  const heard: Int16Array[] = []
  const indices = new Set<string>()
  let refused = 0
  rtp.on('message', (data) => {
    const packet = new Uint8Array(data)
    const length = receiver.unprotect(packet, packet.length)
    if (length < 0 || parseRtp(packet, length, header) < 0) return void refused++
    indices.add(`${header.ssrc} ${header.sequence}`)
    heard.push(codec.decode(packet.slice(header.payloadAt, header.payloadAt + header.payloadLength))!)
  })
  const speech = tone(HZ)
  let sequence = 1
  const talk = setInterval(() => {
    const at = ((sequence * 320) % speech.length)
    const packet = new Uint8Array(300)
    packet.set([0x80, 0, sequence >> 8, sequence & 0xff])
    new DataView(packet.buffer).setUint32(4, sequence * 160)
    packet[11] = 7
    packet.set(codec.encode(speech.subarray(at, at + 320)), 12)
    sequence++
    rtp.send(packet.subarray(0, sender.protect(packet, 172)), to, '127.0.0.1')
  }, 20)
  t.after(() => {
    clearInterval(talk)
    rtp.close()
    sip.close()
  })

  await w.agreed([robot, desk])
  const hears = (hz: number): Promise<true> => {
    heard.length = 0
    return until(15_000, `${hz} Hz at the phone`, () => (shareOf(hz, heard) === 1 ? true : undefined), () => `${heard.length} packets, ${refused} refused`, 100)
  }
  // Timers of this loaded process are no phone's clock: most windows, not all, have to carry its tone.
  await Promise.all([hears(500), robot.hears(HZ, 20_000, 0.8)])
  assert.equal(shareOf(HZ, heard), 0, 'the phone does not hear itself')

  // Hold and resume with the same keys: no index comes twice, or the keystream would.
  const before = indices.size
  assert.equal((await sip.invite('8100', offer('sendonly'))).status, 200)
  await until(15_000, 'silence on hold', () => (robot.hearsNot(HZ) ? true : undefined))
  const resumed = await sip.invite('8100', offer('sendrecv'))
  assert.ok(resumed.body.includes(theirs.toString('base64')), 'our key is the same')
  await hears(500)
  assert.ok(indices.size > before)
  assert.equal(refused, 0, 'every packet had an index of its own')

  // A power cut, and dialled again: another call, the same place in the room.
  const place = robot.roster!.securityCode
  const again = await UdpPhone.open('127.0.0.1', { address: '127.0.0.1', port }, 'ann')
  t.after(() => again.close())
  assert.equal((await again.invite('8100', offer('sendrecv'))).status, 200)
  assert.equal(robot.roster!.securityCode, place)
  assert.equal(robot.roster!.members.length, 2)
  assert.equal((await again.bye('8100')).status, 200)
  await until(10_000, 'departure', () => (robot.roster!.members.length === 1 ? true : undefined))
})
