import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecFactory } from '../../../../src/audio/codecs.ts'
import { loadOpus } from '../../../../src/audio/opus.ts'
import { must } from '../../../../src/base/result.ts'
import { silence } from '../../../../src/media/plain/silence.ts'

test('one packet, said again and again, is silence', async () => {
  const codecs = codecFactory(must(await loadOpus()))
  for (const [encoding, name] of [['PCMU', 'pcmu'], ['pcma', 'pcma'], ['G722', 'g722'], ['opus', 'opus']] as const) {
    const filling = silence(encoding, 9)!
    const codec = codecs.create(name)
    for (let i = 0; i < 500; i++) {
      const pcm = codec.decode(filling.payload)!
      assert.equal(pcm.length, 320, encoding)
      assert.ok(pcm.every((v) => Math.abs(v) <= 16), `${encoding}, packet ${i}: ${Math.max(...pcm)}`)
    }
    codec[Symbol.dispose]()
    assert.deepEqual([filling.payloadType, filling.ptimeMs], [9, 20])
  }
  assert.equal(silence('GSM', 3)!.payload.length, 33)
})

test('an unknown codec gets comfort noise where that was negotiated, else nothing', () => {
  assert.deepEqual(silence('G729', 18, 13)?.payloadType, 13)
  assert.equal(silence('G729', 18), undefined)
})
