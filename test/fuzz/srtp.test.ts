/** Mutated and random octets into an SRTP receiver: refused, and the good packet still opens afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNativeCrypto } from '../../src/crypto/native/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import { writeRtpHeader } from '../../src/protocol/rtp/header.ts'
import type { SrtpSuite } from '../../src/protocol/srtp/keys.ts'
import { SRTP_SUITES } from '../../src/protocol/srtp/keys.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { srtpFault } from '../../src/protocol/srtp/refusal.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'
import { fuzz } from '../kit/fuzz.ts'

const native = createNativeCrypto()
if (!native.ok) console.log(`the native ciphers are left out: ${native.fault.message}`)
const providers = [['node', createNodeCrypto()], ...(native.ok ? [['native', native.value]] : [])] as [string, CryptoPort][]
for (const [name, crypto] of providers) for (const suite of Object.keys(SRTP_SUITES) as SrtpSuite[]) {
  test(`${name}: ${suite}`, () => {
    const keys = { suite, masterKey: crypto.bytes(SRTP_SUITES[suite].keyLength), masterSalt: crypto.bytes(SRTP_SUITES[suite].saltLength) }
    const sender = must(createSrtpSender(crypto, keys))
    const receiver = must(createSrtpReceiver(crypto, keys))
    const protectedBy = (protect: (buf: Uint8Array, length: number) => number, plain: number[]): Uint8Array => {
      const buf = new Uint8Array(100)
      buf.set(plain)
      writeRtpHeader(buf, { marker: false, payloadType: 9, sequence: 9, timestamp: 9, ssrc: ssrc(9) })
      return buf.slice(0, protect(buf, 50))
    }
    const rtp = protectedBy(sender.protect.bind(sender), [])
    const rtcp = protectedBy(sender.protectRtcp.bind(sender), [])
    const mutated = (good: Uint8Array) =>
      fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.integer({ min: 0, max: good.length })).map(([at, change, length]) => {
        const bytes = good.slice()
        bytes[at]! ^= change
        return bytes.slice(0, length)
      })
    fuzz(fc.property(fc.oneof(mutated(rtp), mutated(rtcp), fc.uint8Array({ maxLength: 60 })), (bytes) => {
      for (const refusal of [receiver.unprotect(bytes.slice(), bytes.length), receiver.unprotectRtcp(bytes.slice(), bytes.length)]) {
        assert.ok(refusal < 0 && srtpFault(refusal).startsWith('SRTP_'))
      }
    }), { numRuns: 1500, interruptAfterTimeLimit: 800 })
    assert.equal(receiver.unprotect(rtp.slice(), rtp.length), 50)
    assert.equal(receiver.unprotectRtcp(rtcp.slice(), rtcp.length), 50)
  })
}
