/** The SRTP of a phone leg over re-negotiations: the same keys go on where they were, so that no IV comes twice. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecFactory } from '../../../../src/audio/codecs.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import type { RtpPhoneMedia, SrtpSuite } from '../../../../src/media/api.ts'
import { RtpReceiving } from '../../../../src/media/session/phone-rtp-receive.ts'
import { RtpSending } from '../../../../src/media/session/phone-rtp-send.ts'
import { createSrtpReceiver } from '../../../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../../../src/protocol/srtp/sender.ts'

const crypto = createNodeCrypto()
const lengths: Readonly<Record<SrtpSuite, readonly [number, number]>> = { AEAD_AES_128_GCM: [16, 12], AEAD_AES_256_GCM: [32, 12], AES_CM_128_HMAC_SHA1_80: [16, 14] }
const keysOf = (suite: SrtpSuite) => ({ suite, masterKey: crypto.bytes(lengths[suite][0]), masterSalt: crypto.bytes(lengths[suite][1]) })
const copy = (k: ReturnType<typeof keysOf>) => ({ ...k, masterKey: k.masterKey.slice(), masterSalt: k.masterSalt.slice() })
const base: RtpPhoneMedia = { kind: 'rtp', codec: 'pcmu', payloadType: 0, ptimeMs: 20, remote: { address: '127.0.0.1', port: 4000 }, hold: false, send: true }
const speech = new Int16Array(320).fill(1000)
/** From the highest first number beyond 2^16: the part of the index that is not in the packet has moved. */
const BEYOND_ONE_ROUND = 33_000
const highest = { ...crypto, bytes: (n: number) => new Uint8Array(n).fill(0xff) }

for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const) {
  describe(`${suite}: after hold and resume with the same keys`, () => {
    test('the sender goes on in its index: no keystream comes twice', () => {
      const keys = { receive: keysOf(suite), send: keysOf(suite) }
      const out: Uint8Array[] = []
      const sending = new RtpSending(highest, codecFactory(), (p) => out.push(p.slice()))
      const receiver = must(createSrtpReceiver(crypto, keys.send))
      must(sending.set({ ...base, srtp: keys }))
      const opens = (): boolean => {
        const p = out.splice(0).at(-1)!
        return receiver.unprotect(p, p.length) > 0
      }
      for (let i = 0; i < BEYOND_ONE_ROUND; i++) {
        sending.push(speech)
        if (i % 1000 === 0) assert.ok(opens())
      }
      // Hold, resume, another address, another packet time: equal keys in other objects each time.
      for (const change of [{ hold: true, send: false }, {}, { remote: { address: '127.0.0.1', port: 4002 } }, { codec: 'pcma', payloadType: 8 }] as const) {
        must(sending.set({ ...base, ...change, srtp: { receive: copy(keys.receive), send: copy(keys.send) } }))
        sending.push(speech)
        assert.ok(opens(), 'a receiver that was never told anything follows')
      }
      sending[Symbol.dispose]()
    })
    test('the receiver still refuses what it has heard', () => {
      const keys = { receive: keysOf(suite), send: keysOf(suite) }
      const heard: number[] = []
      const receiving = new RtpReceiving(crypto, codecFactory(), { audio: (pcm) => heard.push(pcm.length), digit: () => {} })
      must(receiving.set({ ...base, srtp: keys }))
      const phone = must(createSrtpSender(crypto, keys.receive))
      const packet = new Uint8Array(400)
      packet.set([0x80, 0, 0, 7, 0, 0, 0, 160, 0, 0, 0, 9])
      const sealed = packet.slice(0, phone.protect(packet, 172))
      assert.ok(receiving.packet(sealed.slice(), 0))
      must(receiving.set({ ...base, hold: true, send: false, srtp: { receive: copy(keys.receive), send: copy(keys.send) } }))
      must(receiving.set({ ...base, srtp: { receive: copy(keys.receive), send: copy(keys.send) } }))
      assert.ok(!receiving.packet(sealed.slice(), 20), 'a replay')
      assert.equal(heard.length, 1)
      receiving[Symbol.dispose]()
    })
  })
}
