/**
 * What sealing and the in-band carrier take from G.722, against the decoder modes of the ITU-T test sequences: the octets of a frame that was opened, or that carries bits,
 * differ in the lowest bit alone, which modes 2 (56 kbit/s) and 3 (48 kbit/s) do not look at.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { G722Decoder, type G722Mode } from '../../src/audio/g722/decoder.ts'
import { instant } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { FrameSession } from '../../src/protocol/frameseal/session.ts'
import { InBandCarrier } from '../../src/protocol/keyagreement/in-band/carrier.ts'

const folder = fileURLToPath(new URL('../../../shared/vectors/g722/', import.meta.url))
const skip = existsSync(folder) ? false : 'no test vectors beside the checkout (shared/vectors/g722)'
const FRAME = 160
const NOW = instant(0)
const crypto = createNodeCrypto()

function words(name: string): Int16Array {
  const octets = readFileSync(folder + name)
  return Int16Array.from({ length: octets.length / 2 }, (_, i) => octets.readInt16LE(2 * i))
}
/** Whole frames of the code sequence. */
function frames(): Uint8Array[] {
  const codes = Uint8Array.from(words('codspw.cod'))
  return Array.from({ length: Math.floor(codes.length / FRAME) }, (_, n) => codes.subarray(n * FRAME, (n + 1) * FRAME))
}
function decoded(all: readonly Uint8Array[], mode: G722Mode): Int16Array {
  const out = new Int16Array(all.length * 2 * FRAME)
  const decoder = new G722Decoder(mode)
  for (const [n, f] of all.entries()) decoder.decode(f, out.subarray(n * 2 * FRAME))
  return out
}

function sealedAndOpened(): (frame: Uint8Array) => Uint8Array {
  const keys = () => ({ key: crypto.bytes(32), salt: crypto.bytes(12), mask: crypto.bytes(32) })
  const [there, back] = [keys(), keys()]
  const [sender, receiver] = [new FrameSession(crypto, { codec: 'g722' }), new FrameSession(crypto, { codec: 'g722' })]
  must(sender.addEpoch(0, { send: there, receive: back }, NOW))
  must(receiver.addEpoch(0, { send: back, receive: there }, NOW))
  return (frame) => {
    const opened = receiver.open(must(sender.sealVoice(frame)), NOW)
    assert.equal(opened.kind, 'voice')
    return opened.kind === 'voice' ? opened.frame : frame
  }
}
function withBits(): (frame: Uint8Array) => Uint8Array {
  const carrier = new InBandCarrier(crypto, 'g722')
  return (frame) => carrier.outgoing(frame, NOW)
}

for (const [what, make] of [['sealed and opened', sealedAndOpened], ['with the bits of the in-band carrier', withBits]] as const) {
  for (const mode of [2, 3] as const) {
    test(`G.722 ${what}: bit-exact in mode ${mode}`, { skip }, () => {
      const arrived = frames().map(make())
      assert.deepEqual(decoded(arrived, mode), words(`outsp${mode}.bin`).subarray(0, arrived.length * 2 * FRAME))
    })
  }
}

test('the mode 1 decoder of an ordinary phone: the lowest bit alone is missing from what it hears', { skip }, () => {
  const before = frames()
  const after = before.map(sealedAndOpened())
  for (const [n, f] of after.entries()) assert.ok(f.every((o, i) => o >> 1 === before[n]![i]! >> 1), `frame ${n}`)
  // Nearer to the whole code than what a decoder of 48 kbit/s makes of it, from which two bits are missing.
  const whole = words('outsp1.bin')
  const [seven, six] = [errorOf(decoded(after, 1), whole), errorOf(decoded(after, 3), whole)]
  assert.ok(seven < six, `${seven}, ${six}`)
})

function errorOf(pcm: Int16Array, reference: Int16Array): number {
  return pcm.reduce((sum, s, i) => sum + (s - reference[i]!) ** 2, 0) / pcm.length
}
