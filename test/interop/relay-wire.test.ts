/** What can be read between the parts of a bridged call: between client and server nothing, in any codec; towards the PBX nothing over TLS. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { endpoint } from '../kit/asterisk.ts'
import { type BehindPbx, behindPbx } from '../kit/behind-pbx.ts'
import { capture, type Captured, payloads } from '../kit/capture.ts'
import { freePorts, ownPorts } from '../kit/free-ports.ts'
import { hears } from '../kit/hears.ts'
import { until } from '../kit/processes.ts'
import { UdpPhone } from '../kit/udp-phone.ts'
import { needs, needsAsterisk } from './setup.ts'

const here = '127.0.0.1'
const number = '4930123456789'
const extensions = `[phones]\nexten => ${number},1,Answer()\n same => n,Echo()\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)\n`

/** Frames of 20 ms; each is said again and again, so that whatever repeats on the wire would be seen. */
const codecs = [
  { name: 'G722', format: '9', map: '9 G722/8000', first: [], octets: 160 },
  { name: 'PCMU', format: '0', map: '0 PCMU/8000', first: [], octets: 160 },
  { name: 'PCMA', format: '8', map: '8 PCMA/8000', first: [], octets: 160 },
  { name: 'GSM', format: '3', map: '3 GSM/8000', first: [0xd5], octets: 33 },
  // TOC: CELT, full band, 20 ms, mono, one frame (RFC 6716 §3.1).
  { name: 'opus', format: '107', map: '107 opus/48000/2', first: [0xf8], octets: 80 },
] as const
type Codec = (typeof codecs)[number]
const frameOf = (c: Codec): Buffer => Buffer.from([...c.first, ...Array.from({ length: c.octets - c.first.length }, (_, i) => (i * 37 + c.name.charCodeAt(0) * (i + 3)) & 0xff)])

const words = ['SIP/2.0', 'INVITE ', 'REGISTER ', 'Via: ', 'Call-ID', 'CSeq', 'Contact: ', 'v=0\r\n', 'm=audio', 'a=rtpmap', 'IN IP4', 'application/sdp', 'Digest ', number, 'anna']
const holds = (all: Uint8Array, what: Uint8Array | string): boolean => Buffer.from(all).includes(what as string)
/** What is left after compression, of what was there. */
const density = (all: Uint8Array): number => deflateRawSync(all, { level: 9 }).length / all.length

/** Calls the echo in this codec until so many frames came back as they were sent; gives the port that they went from. */
async function talk(w: BehindPbx, phone: UdpPhone, c: Codec): Promise<number> {
  const port = await freePorts(2)
  const socket = createSocket('udp4').bind(port, here)
  await once(socket, 'listening')
  const frame = frameOf(c)
  let heard = 0
  socket.on('message', (data) => {
    if (data.subarray(12).equals(frame)) heard++
  })
  const sdp = ['v=0', `o=- 1 1 IN IP4 ${here}`, 's=-', `c=IN IP4 ${here}`, 't=0 0', `m=audio ${port} RTP/AVP ${c.format}`, `a=rtpmap:${c.map}`, ''].join('\r\n')
  const answer = await phone.invite(number, sdp)
  assert.equal(answer.status, 200, `${c.name}: ${answer.text}`)
  const to = Number(/m=audio (\d+)/.exec(answer.body)![1])
  let n = 0
  const sending = setInterval(() => {
    const rtp = Buffer.alloc(12)
    rtp.set([0x80, Number(/m=audio \d+ \S+ (\d+)/.exec(answer.body)![1])])
    rtp.writeUInt16BE(n & 0xffff, 2)
    rtp.writeUInt32BE((n++ * (c.name === 'opus' ? 960 : 160)) >>> 0, 4)
    rtp.writeUInt32BE(0x1234_5678, 8)
    socket.send(Buffer.concat([rtp, frame]), to, here)
  }, 20)
  try {
    await until(20_000, `the echo in ${c.name}`, () => heard >= 60 || undefined, () => `${heard} of ${n} came back\n${w.asterisk.log().slice(-1500)}`)
  } finally {
    clearInterval(sending)
    socket.close()
  }
  assert.equal((await phone.bye(number)).status, 200)
  return port
}

test('between client and server: no SIP, no SDP, no audio of any codec; beside it the same call in clear', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'tshark') || !needsAsterisk(t)) return
  const w = await behindPbx(t, { config: () => ({ 'pjsip.conf': endpoint('anna', { codecs: 'g722,ulaw,alaw,gsm,opus' }), 'extensions.conf': extensions }) })
  const client = await w.client('anna')
  const tap = await capture(`(udp or tcp) and ${ownPorts}`)
  // Others may use loopback at the same time.
  const ours = new Set([client.sip.port, w.asterisk.sip, ...Array.from({ length: w.asterisk.rtpCount }, (_, i) => w.asterisk.rtp + i)])
  for (const c of codecs) {
    const phone = await UdpPhone.open(here, client.sip, 'anna', 'secret-anna')
    t.after(() => phone.close())
    assert.equal((await phone.register()).status, 200)
    ours.add(await talk(w, phone, c))
  }
  const all = await tap.stop()
  const hop = all.filter((p) => p.from === w.server.port || p.to === w.server.port)
  const clear = all.filter((p) => ours.has(p.from) || ours.has(p.to))
  const media = (list: readonly Captured[]): Captured[] => list.filter((p) => p.protocol === 'udp' && p.payload.length > 40)

  // The control: all of it can be read where it is in clear.
  for (const word of words) assert.ok(holds(payloads(clear), word), `"${word}" in clear`)
  assert.ok(media(hop).length >= 2 * 60 * codecs.length, `${media(hop).length} packets between client and server`)
  assert.ok(hop.some((p) => p.protocol === 'tcp' && p.from === w.server.port) && hop.some((p) => p.protocol === 'tcp' && p.to === w.server.port))

  const crossed = payloads(hop)
  for (const word of words) assert.ok(!holds(crossed, word), `"${word}" between client and server`)
  for (const c of codecs) {
    const frame = frameOf(c)
    assert.ok(clear.filter((p) => holds(p.payload, frame)).length >= 120, `${c.name} in clear`)
    for (let at = 0; at + 8 <= frame.length; at += 4) assert.ok(!holds(crossed, frame.subarray(at, at + 8)), `${c.name} between client and server, octets ${at}`)
  }
  // Whatever it were: what repeats can be compressed, and what is sealed cannot. Behind the RTP header of 12 octets.
  const bodies = (list: readonly Captured[]): Uint8Array => Buffer.concat(media(list).map((p) => p.payload.subarray(12)))
  assert.ok(density(bodies(clear)) < 0.3, `clear: ${density(bodies(clear))}`)
  assert.ok(density(bodies(hop)) > 0.99, `sealed: ${density(bodies(hop))}`)
})

test('Asterisk over TLS: registered, called, hold; nothing in clear on the way', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'tshark') || !needsAsterisk(t)) return
  const names = ['anna', 'bert']
  const w = await behindPbx(t, { transport: 'tls', config: () => ({ 'pjsip.conf': names.map((n) => endpoint(n)).join('\n'), 'extensions.conf': extensions }) })
  const tap = await capture(`port ${w.asterisk.sip} or port ${w.asterisk.tls}`)
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const [anna, bert] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip)]
  assert.match(await w.asterisk.cli('pjsip show contacts'), /anna\/sip:stc[0-9a-f]{24}@127\.0\.0\.1/)
  anna.dial(`sip:bert@${here}:${a.sip.port}`)
  await anna.events.next('established')
  await bert.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  anna.hold()
  await anna.events.next('media')
  anna.resume()
  await anna.events.next('media')
  await hears(bert, 700)
  bert.hangup()
  await anna.events.next('closed')
  const passed = await tap.stop()
  assert.ok(passed.filter((p) => p.to === w.asterisk.tls).length > 10 && passed.filter((p) => p.from === w.asterisk.tls).length > 10)
  assert.deepEqual(passed.filter((p) => p.to === w.asterisk.sip || p.from === w.asterisk.sip), [], 'nothing over UDP or TCP')
  for (const word of words) assert.ok(!holds(payloads(passed), word), word)
})
