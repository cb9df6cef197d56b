/** Every media plane that there is, with a network around it, for the suites that all of them must pass. */
import type { CryptoPort } from '../../src/crypto/port.ts'
import { must } from '../../src/base/result.ts'
import { createNativeCrypto } from '../../src/crypto/native/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { bindRtpPair, type RtpPair } from '../../src/media/plain/rtp-pair.ts'
import { sharedPorts } from '../../src/media/plane-share.ts'
import { portablePlane } from '../../src/media/plane/portable.ts'
import type { MediaPlane } from '../../src/media/plane/types.ts'
import { NativeLoop, nativeUdp } from '../../src/net/native/index.ts'
import { systemCalls } from '../../src/net/native/system.ts'
import { nodeUdp } from '../../src/net/node-udp.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import type { UdpSocket } from '../../src/net/udp.ts'
import { severalPlanes, simulatedLinks, steered } from './several-planes.ts'
import { SimNet } from './sim-net.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface PlaneWorld {
  readonly plane: MediaPlane
  /** Where the plane's plain legs may be bound. */
  readonly here: string
  /** A fresh host's socket. */
  socket(): Promise<UdpSocket>
  /** Two sockets of a fresh host, for RTP and RTCP. */
  pair(): Promise<RtpPair>
  /** Until the condition holds, or an error. */
  until(condition: () => boolean): Promise<void>
  /** Lets time pass: virtual where possible. Undefined where a test that needs it must be skipped. */
  pass: ((ms: number) => Promise<void>) | undefined
  end(): void
}

/** Ports for calls that the suites count on. */
export const PORTS = { first: 47_011, last: 47_410 }

/** Puts something between a plane and its ciphers. */
export type WrapCrypto = (crypto: CryptoPort) => CryptoPort
export type MakeWorld = (wrap?: WrapCrypto) => Promise<PlaneWorld>

const asItIs: WrapCrypto = (c) => c

async function simulated(wrap: WrapCrypto = asItIs): Promise<PlaneWorld> {
  const clock = new VirtualClock()
  const net = new SimNet(clock)
  const server = net.host('server', '192.0.2.1')
  const plane = portablePlane({ socket: await server.bind({ address: '192.0.2.1', port: 7443 }), udp: server, ports: PORTS, scheduler: clock, crypto: wrap(createNodeCrypto()) })
  let n = 0
  const host = () => net.host(`client${++n}`, `198.51.100.${n}`)
  return {
    plane,
    here: '192.0.2.1',
    socket: () => host().bind({ address: '0.0.0.0', port: 0 }),
    pair: async () => must(await bindRtpPair(host(), '0.0.0.0')),
    until: (condition) => clock.until(condition, 1000),
    // A plane does all in the callback itself: nothing has to settle between two instants.
    pass: async (ms) => clock.advanceSync(ms),
    end: () => plane.stop(),
  }
}

async function overSockets(wrap: WrapCrypto = asItIs): Promise<PlaneWorld> {
  // Bursts of three hundred packets must fit, while others use the machine.
  const udp = nodeUdp({ bufferOctets: 4 << 20 })
  const plane = portablePlane({ socket: await udp.bind({ address: '127.0.0.1', port: 0 }), udp, ports: PORTS, scheduler: realScheduler(false), crypto: wrap(createNodeCrypto()) })
  return overLoopback(plane)
}

async function native(wrap: WrapCrypto = asItIs): Promise<PlaneWorld> {
  const loop = must(NativeLoop.open())
  const ciphers = must(createNativeCrypto())
  for (const memory of [loop.incoming.memory, loop.outgoing.memory]) ciphers.handleInPlace(memory)
  const socket = must(loop.bind({ address: '127.0.0.1', port: 0 }, { bufferOctets: 1 << 20 }))
  const udp = nativeUdp(loop, { bufferOctets: 1 << 18 })
  const plane = portablePlane({ socket, udp, ports: PORTS, scheduler: loop.scheduler, crypto: wrap(ciphers) })
  const world = overLoopback(plane, () => void loop.turn(0))
  return {
    ...world,
    end() {
      world.end()
      loop.close()
    },
  }
}

/** Four planes on one port, in one thread, as four threads would have them. */
const WORKERS = 4

async function severalSimulated(wrap: WrapCrypto = asItIs): Promise<PlaneWorld> {
  const clock = new VirtualClock()
  const net = new SimNet(clock)
  const server = net.host('server', '192.0.2.1')
  const sockets = steered(await server.bind({ address: '192.0.2.1', port: 7443 }), WORKERS)
  const links = simulatedLinks(clock, WORKERS)
  const plane = severalPlanes(sockets.map((socket, i) => portablePlane({
    socket, link: links[i]!, udp: server, ports: sharedPorts(PORTS, i, WORKERS), scheduler: clock, crypto: wrap(createNodeCrypto()),
  })))
  let n = 0
  const host = () => net.host(`client${++n}`, `198.51.100.${n}`)
  return {
    plane,
    here: '192.0.2.1',
    socket: () => host().bind({ address: '0.0.0.0', port: 0 }),
    pair: async () => must(await bindRtpPair(host(), '0.0.0.0')),
    until: (condition) => clock.until(condition, 1000),
    // A plane does all in the callback itself: nothing has to settle between two instants.
    pass: async (ms) => clock.advanceSync(ms),
    end: () => plane.stop(),
  }
}

/** The system steers the packets here. */
async function severalNative(wrap: WrapCrypto = asItIs): Promise<PlaneWorld> {
  const loop = must(NativeLoop.open())
  const links = simulatedLinks(loop.scheduler, WORKERS)
  let port = 0
  const planes = links.map((link, i) => {
    const ciphers = must(createNativeCrypto())
    for (const memory of [loop.incoming.memory, loop.outgoing.memory]) ciphers.handleInPlace(memory)
    const socket = must(loop.bind({ address: '127.0.0.1', port }, { bufferOctets: 1 << 20, share: WORKERS }))
    port = socket.local.port
    return portablePlane({ socket, link, udp: nativeUdp(loop, { bufferOctets: 1 << 18 }), ports: sharedPorts(PORTS, i, WORKERS), scheduler: loop.scheduler, crypto: wrap(ciphers) })
  })
  const world = overLoopback(severalPlanes(planes, () => void (loop.turn(0) + loop.turn(0))), () => void loop.turn(0))
  return {
    ...world,
    end() {
      world.end()
      loop.close()
    },
  }
}

/** A plane that is bound to 127.0.0.1, among real sockets. `turn` drives it where Node does not. */
export function overLoopback(plane: MediaPlane, turn: () => void = () => {}): PlaneWorld {
  const udp = nodeUdp()
  const sockets: UdpSocket[] = []
  return {
    plane,
    here: '127.0.0.1',
    async socket() {
      const s = await udp.bind({ address: '127.0.0.1', port: 0 })
      sockets.push(s)
      return s
    },
    async pair() {
      const pair = must(await bindRtpPair(udp, '127.0.0.1'))
      sockets.push(pair.rtp, pair.rtcp)
      return pair
    },
    async until(condition) {
      const end = performance.now() + 10_000
      while (!condition()) {
        if (performance.now() > end) throw new Error('did not come within ten seconds')
        turn()
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    pass: undefined,
    end() {
      plane.stop()
      for (const s of sockets) s.close()
    },
  }
}

const library = systemCalls()
if (!library.ok) console.log(`the native plane is left out: ${library.fault.message}`)

export const planeWorlds: readonly (readonly [string, MakeWorld])[] = [
  ['portable plane, simulated network', simulated],
  ['portable plane, node:dgram', overSockets],
  ['four portable planes, simulated network', severalSimulated],
  ...(library.ok ? [['native plane', native], ['four native planes on one port', severalNative]] as const : []),
]
