/** µs of the thread's CPU time per 20 ms frame of G.722 (160 octets) for SRTP and SFrame. One thread; `rows()` takes about a second. */
import { instant, ssrc } from '../src/base/brand.ts'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { writeRtpHeader } from '../src/protocol/rtp/header.ts'
import type { SFrameSuite } from '../src/protocol/sframe/key.ts'
import { SFRAME_SUITES } from '../src/protocol/sframe/key.ts'
import { SFrameSession } from '../src/protocol/sframe/session.ts'
import type { SrtpSuite } from '../src/protocol/srtp/keys.ts'
import { SRTP_SUITES } from '../src/protocol/srtp/keys.ts'
import { createSrtpReceiver } from '../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../src/protocol/srtp/sender.ts'

export interface Row {
  readonly name: string
  /** Median over batches of 500 frames, µs. */
  readonly microseconds: number
}

const FRAME = 160
const LENGTH = 12 + FRAME
const BATCH = 500
const BATCHES = 20
const SSRC = ssrc(1)
const crypto = createNodeCrypto()

/** Times `run` over batches; `prepare` makes the input of each call beforehand. */
function measure<T>(name: string, prepare: () => T, run: (input: T) => boolean): Row {
  const times: number[] = []
  for (let batch = 0; batch <= BATCHES; batch++) {
    const inputs = Array.from({ length: BATCH }, prepare)
    const from = process.threadCpuUsage()
    let good = true
    for (const input of inputs) good = run(input) && good
    const { user, system } = process.threadCpuUsage(from)
    const elapsed = (user + system) / BATCH
    if (!good) throw new Error(`${name}: a frame was refused`)
    if (batch > 0) times.push(elapsed) // The first one warms up.
  }
  times.sort((a, b) => a - b)
  return { name, microseconds: times[times.length >> 1]! }
}

function srtpRows(suite: SrtpSuite): Row[] {
  const keys = { suite, masterKey: crypto.bytes(SRTP_SUITES[suite].keyLength), masterSalt: crypto.bytes(SRTP_SUITES[suite].saltLength) }
  const plain = (): Uint8Array => {
    const buf = new Uint8Array(LENGTH + 16)
    writeRtpHeader(buf, { marker: false, payloadType: 9, sequence: 0, timestamp: 0, ssrc: SSRC })
    return buf
  }
  using protecting = must(createSrtpSender(crypto, keys))
  using sender = must(createSrtpSender(crypto, keys))
  using receiver = must(createSrtpReceiver(crypto, keys))
  return [
    measure(`SRTP protect ${suite}`, plain, (buf) => protecting.protectNext(buf, LENGTH) > 0),
    measure(`SRTP unprotect ${suite}`, () => {
      const buf = plain()
      return buf.subarray(0, sender.protectNext(buf, LENGTH))
    }, (buf) => receiver.unprotect(buf, buf.length) === LENGTH),
  ]
}

function sframeRows(suite: SFrameSuite): Row[] {
  const member = (ownLeaf: number): SFrameSession => {
    const s = new SFrameSession(crypto, suite, 'g722')
    must(s.addEpoch({ epoch: 1n, baseKey: new Uint8Array(SFRAME_SUITES[suite].keyLength), leaves: [0, 1], ownLeaf, removed: [] }, instant(0)))
    must(s.confirmEpoch(1n, instant(0)))
    return s
  }
  using sealing = member(0)
  using sender = member(0)
  using receiver = member(1)
  const plain = new Uint8Array(1 + FRAME)
  return [
    measure(`SFrame seal ${suite}`, () => plain, (p) => sealing.seal(p, SSRC, 0, instant(0)).ok),
    measure(`SFrame open ${suite}`, () => {
      const r = sender.seal(plain, SSRC, 0, instant(0))
      return r.ok ? r.frame : plain
    }, (frame) => receiver.open(frame, SSRC, 0, instant(0)).ok),
  ]
}

export function rows(): Row[] {
  return [
    ...(Object.keys(SRTP_SUITES) as SrtpSuite[]).flatMap(srtpRows),
    ...(Object.keys(SFRAME_SUITES) as SFrameSuite[]).flatMap(sframeRows),
  ]
}

