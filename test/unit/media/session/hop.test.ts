/** The client's end of a hop: when its keys are worn, and after its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import type { CryptoPort } from '../../../../src/crypto/port.ts'
import type { MediaEvent } from '../../../../src/media/api.ts'
import { Hop } from '../../../../src/media/session/hop.ts'
import { ECHO, readPathMessage, writePathMessage } from '../../../../src/media/hop/path-message.ts'
import { createSrtpReceiver, type SrtpReceiver } from '../../../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../../../src/protocol/srtp/sender.ts'
import { legSpec } from '../../../kit/media-client.ts'
import { SimNet } from '../../../kit/sim-net.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

const crypto = createNodeCrypto()

async function stage() {
  const clock = new VirtualClock()
  const net = new SimNet(clock, 1)
  const [server, client] = [net.host('server', '192.0.2.1'), net.host('client', '198.51.100.1')]
  const socket = await server.bind({ address: '192.0.2.1', port: 7443 })
  let from: { address: string; port: number } | undefined
  const came: Uint8Array[] = []
  socket.onMessage((data, at) => {
    came.push(data.slice())
    from = { address: at.address, port: at.port }
  })
  const events: MediaEvent[] = []
  const media: number[] = []
  let ciphers = 0
  // As libcrypto's contexts behave, which are freed.
  const strict: CryptoPort = { ...crypto, packetCipher: (algorithm, key) => {
    const cipher = crypto.packetCipher(algorithm, key)
    let over = false
    ciphers++
    const living = <A extends unknown[], R>(run: (...a: A) => R) => (...a: A): R => {
      if (over) throw new Error('packet cipher used after disposal')
      return run(...a)
    }
    const [seal, open, end] = [cipher.seal.bind(cipher), cipher.open.bind(cipher), cipher[Symbol.dispose].bind(cipher)]
    return Object.assign(cipher, {
      seal: living(seal), open: living(open),
      [Symbol.dispose]: () => {
        if (!over) ciphers--
        over = true
        end()
      },
    })
  } }
  const hop = new Hop({ id: 1, udp: client, scheduler: clock, crypto: strict, emit: (e) => events.push(e), onMedia: (source) => media.push(source) })
  const open = (generation: number): ReturnType<typeof createSrtpSender> => {
    const spec = legSpec(crypto, 9, generation)
    hop.open({ generation, remotes: [socket.local], receive: spec.send, send: spec.receive, probe: spec.probe })
    receiver = must(createSrtpReceiver(crypto, spec.receive))
    return createSrtpSender(crypto, spec.send)
  }
  /** Of the newest keys, at the server. */
  let receiver: SrtpReceiver
  /** One packet of each of so many streams. */
  const say = async (sender: ReturnType<typeof createSrtpSender>, first: number, streams: number, ms = 2000): Promise<void> => {
    await clock.until(() => from !== undefined, 10_000)
    for (let i = 0; i < streams; i++) {
      const packet = new Uint8Array(64)
      packet[0] = 0x80
      packet[1] = 9
      new DataView(packet.buffer).setUint32(8, first + i)
      const length = must(sender).protectNext(packet, 20)
      socket.send(packet.subarray(0, length), from!)
    }
    await clock.advance(ms)
  }
  const worn = (): number[] => events.flatMap((e) => (e.op === 'hop.worn' ? [e.generation] : []))
  /** How many of the packets that came are under the newest keys. */
  const underNewest = (): number => came.filter((p) => receiver.unprotectRtcp(p.slice(), p.length) >= 0).length
  /** The server answers the question that came last. */
  const echo = async (sender: ReturnType<typeof createSrtpSender>): Promise<void> => {
    const asked = came.at(-1)!.slice()
    const { token } = must(readPathMessage(asked.subarray(0, receiver.unprotectRtcp(asked, asked.length))))
    const packet = new Uint8Array(128)
    socket.send(packet.subarray(0, must(sender).protectRtcp(packet, writePathMessage(packet, { subtype: ECHO, ssrc: ssrc(9), token, use: false }))), from!)
    await clock.until(() => hop.active === 'udp', 1000)
    await clock.advance(100)
  }
  return { clock, hop, echo, open, say, worn, media, came, underNewest, ciphers: () => ciphers }
}

test('keys that have seen half of the streams that they may are worn, which is said once for each generation', async () => {
  const s = await stage()
  const first = s.open(1)
  await s.say(first, 1000, 2047)
  assert.deepEqual([s.media.length, s.worn()], [2047, []])
  await s.say(first, 9000, 1)
  await s.say(first, 9100, 10)
  assert.deepEqual(s.worn(), [1])
  const second = s.open(2)
  await s.say(second, 1000, 100)
  assert.deepEqual(s.worn(), [1], 'new keys begin anew')
  await s.say(second, 2000, 2048)
  assert.deepEqual(s.worn(), [1, 2])
  s.hop.close()
})

test('frames that come from the vault after the end are not sent, and harm nobody', async () => {
  const s = await stage()
  await s.say(s.open(1), 1000, 1)
  const end = s.hop.callEnd(ssrc(5), ssrc(6))
  s.hop.close()
  s.hop.send(ssrc(7), 9, 0, new Uint8Array(160))
  end.forward(new Uint8Array(64), { ...({} as Parameters<typeof end.forward>[1]), ssrc: ssrc(3), timestamp: 0, payloadAt: 12, payloadLength: 10 } as Parameters<typeof end.forward>[1], 1, s.clock.now())
  assert.equal(s.hop.active, 'none')
})

test('keys that others took the place of are wiped within seconds, and not when the next ones come', async () => {
  const s = await stage()
  const one = s.open(1)
  await s.say(one, 1000, 1)
  const each = s.ciphers()
  const two = s.open(2)
  assert.ok(s.ciphers() > each)
  // Of a server that was slow to hear of the new ones.
  await s.say(one, 1001, 1, 3000)
  await s.say(one, 1002, 1, 3000)
  assert.equal(s.media.length, 3)
  await s.say(two, 2000, 1, 1000)
  // Still under way.
  await s.say(one, 1003, 1, 500)
  assert.equal(s.media.length, 5)
  await s.clock.advance(2000)
  assert.equal(s.ciphers(), each)
  await s.say(one, 1004, 1)
  assert.equal(s.media.length, 5)
  // Nothing is heard under these.
  s.open(3)
  await s.clock.advance(11_500)
  assert.equal(s.ciphers(), each)
  s.hop.close()
})

test('new keys are heard of at the server at once, from a client too that has nothing to say', async () => {
  const s = await stage()
  const one = s.open(1)
  await s.say(one, 1000, 1)
  await s.echo(one)
  // It asked once more when it chose that way.
  await s.echo(one)
  // It is there, and asked whether it is once in five seconds.
  await s.clock.advance(1500)
  s.open(2)
  s.came.length = 0
  await s.clock.advance(100)
  assert.ok(s.underNewest() > 0)
  s.hop.close()
})
