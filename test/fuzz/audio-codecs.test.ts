import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecFactory } from '../../src/audio/codecs.ts'
import { Depacketizer } from '../../src/audio/framing.ts'
import { loadOpus } from '../../src/audio/opus.ts'
import { must } from '../../src/base/result.ts'
import { babble } from '../kit/audio.ts'

test('decoders survive any payload, and decode a good frame afterwards', async () => {
  const codecs = codecFactory(must(await loadOpus()))
  for (const name of codecs.names) {
    using codec = codecs.create(name)
    using sender = codecs.create(name)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1600 }), (payload) => {
      const pcm = codec.decode(payload)
      assert.ok(pcm === undefined || (pcm.length > 0 && pcm.length <= 1920))
    }), { numRuns: 300 })
    assert.equal(codec.decode(sender.encode(babble(320)))?.length, 320)
  }
})

test('mutated Opus packets and any timestamps give PCM or nothing', async () => {
  const codecs = codecFactory(must(await loadOpus()))
  for (const name of codecs.names) {
    using codec = codecs.create(name)
    using sender = codecs.create(name)
    const inbox = new Depacketizer(codec)
    const good = sender.encode(babble(320, 3))
    fc.assert(fc.property(fc.nat({ max: good.length - 1 }), fc.nat(255), fc.nat({ max: 0xffffffff }), (at, octet, timestamp) => {
      const bad = good.slice()
      bad[at] = octet
      const got = inbox.push(timestamp, bad)
      assert.ok(got === undefined || (got.pcm.length <= 1920 && got.missing >= 0 && got.missing <= 3200))
    }), { numRuns: 300 })
  }
})
