import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { CodecFactory } from '../../../src/audio/codecs.ts'
import { codecFactory } from '../../../src/audio/codecs.ts'
import { Depacketizer, Packetizer, packetTime } from '../../../src/audio/framing.ts'
import { joinPcm } from '../../../src/audio/join-pcm.ts'
import { loadOpus } from '../../../src/audio/opus.ts'
import { must } from '../../../src/base/result.ts'
import { babble, snr } from '../../kit/audio.ts'

let codecs: CodecFactory
before(async () => {
  codecs = codecFactory(must(await loadOpus()))
})

test('every packet time of every codec carries the sound, with timestamps that follow', () => {
  const pcm = babble(320 * 48, 5)
  for (const name of codecs.names) {
    for (const ms of [10, 20, 30, 40, 60]) {
      using sender = codecs.create(name)
      using receiver = codecs.create(name)
      const out = new Packetizer(sender, ms, 0xffff_ff00)
      const inbox = new Depacketizer(receiver)
      const units = (packetTime(sender, ms) * sender.clockRate) / 1000
      const heard: Int16Array[] = []
      let expected = 0xffff_ff00
      for (let at = 0; at < pcm.length; at += 320) {
        for (const { timestamp, payload } of out.push(pcm.subarray(at, at + 320))) {
          assert.equal(timestamp, expected)
          expected = (expected + units) >>> 0
          const got = inbox.push(timestamp, payload)!
          assert.equal(got.missing, 0)
          heard.push(got.pcm)
        }
      }
      const quality = snr(pcm, joinPcm(heard), 120)
      assert.ok(quality > 8, `${name} ${ms} ms: ${quality} dB`)
      assert.deepEqual({ ...inbox.stats, received: 0 }, { received: 0, late: 0, invalid: 0, missing: 0 })
    }
  }
})

test('packet times are what the codec can do', () => {
  using g722 = codecs.create('g722')
  using opus = codecs.create('opus')
  assert.deepEqual([5, 10, 15, 20, 30, 35, 60, 200].map((ms) => packetTime(g722, ms)), [10, 10, 10, 20, 30, 30, 60, 60])
  assert.deepEqual([30, 40, 50].map((ms) => packetTime(opus, ms)), [20, 40, 40])
})

test('late, repeated, undecodable and missing packets; a pause is not loss; a restart is followed', () => {
  using codec = codecs.create('pcmu')
  const inbox = new Depacketizer(codec)
  const payload = new Uint8Array(160).fill(0xff)
  assert.equal(inbox.push(1000, payload)?.missing, 0)
  assert.equal(inbox.push(1160, payload)?.missing, 0)
  assert.equal(inbox.push(1160, payload), undefined)
  assert.equal(inbox.push(1000, payload), undefined)
  assert.equal(inbox.push(1640, payload)?.missing, 640)
  assert.equal(inbox.push(1800, new Uint8Array(0)), undefined)
  assert.equal(inbox.push(1640 + 160 + 8000, payload)?.missing, 0)
  assert.equal(inbox.push(0x9000_0000, payload)?.missing, 0)
  assert.deepEqual(inbox.stats, { received: 5, late: 2, invalid: 1, missing: 640 })
})

test('skipped time moves the timestamp', () => {
  using codec = codecs.create('opus')
  const out = new Packetizer(codec, 20, 0)
  out.push(new Int16Array(320))
  out.skip(3)
  assert.equal(out.push(new Int16Array(320))[0]?.timestamp, 4 * 960)
})
