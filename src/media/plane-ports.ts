/** What a media plane stands on in its thread: sockets, time and ciphers, native ones or those that work everywhere. */
import type { Scheduler } from '../base/ports.ts'
import { err, type Fault, makeFault, ok, type Result } from '../base/result.ts'
import { createNativeCrypto } from '../crypto/native/index.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { AddressPort } from '../net/address.ts'
import type { PlaneChoice } from './plane-choice.ts'
import { loopSelfTest, NativeLoop, type NativeSocket, nativeUdp, type WakeHandle } from '../net/native/index.ts'
import { nodeUdp } from '../net/node-udp.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { UdpPort, UdpSocket } from '../net/udp.ts'
import type { PlaneFacts, PlaneStats } from './plane/types.ts'

export type PlaneProvider = 'native' | 'portable'

export interface PlaneTuning {
  /** At high rates packets wait for so long, ms, to be handled together. */
  readonly gatherMs: number
  /** What goes to one receiver together goes down as one piece (UDP_SEGMENT). */
  readonly segment: boolean
}

export interface PlanePorts {
  readonly provider: PlaneProvider
  /** Why it is not the native one, where that was wished for. */
  readonly fallback: Fault | undefined
  /** The one port for all clients. */
  readonly socket: UdpSocket
  readonly udp: UdpPort
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  /** Octets that the system keeps of what comes and goes at the port, 0: unknown; and what it was asked for. */
  readonly buffers: PlaneFacts['buffers']
  /** What was lost here so far. */
  own(): NonNullable<PlaneStats['own']>
  /** What was sent so far, where it is known. */
  sends?(): NonNullable<PlaneStats['sends']>
  /** Drives the sockets until `stop`; at once where Node's own loop does. */
  run(): Promise<void>
  stop(): void
}

export interface PlanePortsOptions extends PlaneTuning {
  readonly bind: AddressPort
  readonly choice: PlaneChoice
  /** Without it there are no native ones. */
  readonly wake: WakeHandle | undefined
  /** The port has so many sockets, each with a thread of its own; the first of them finds out whether it is free. Native only. */
  readonly share?: { readonly workers: number; readonly first: boolean }
}

/** Room for a second of sixty thousand packets. */
const BUFFER_OCTETS = 32 << 20
const PLAIN_BUFFER_OCTETS = 1 << 18
const PORTABLE_BUFFER_OCTETS = 4 << 20

/** Fails with NET_BIND, and where `native` was demanded with NATIVE_UNAVAILABLE, NATIVE_CALL or CRYPTO_SELF_TEST. */
export async function openPlanePorts(o: PlanePortsOptions): Promise<Result<PlanePorts>> {
  if (o.choice === 'portable') return portablePorts(o, undefined)
  const native = nativePorts(o)
  if (native.ok || o.choice === 'native' || native.fault.code === 'NET_BIND') return native
  return portablePorts(o, native.fault)
}

function nativePorts(o: PlanePortsOptions): Result<PlanePorts> {
  const crypto = createNativeCrypto()
  if (!crypto.ok) return crypto
  if (o.wake === undefined) return err('NATIVE_UNAVAILABLE', 'nobody can wake the loop')
  const opened = NativeLoop.open({ wake: o.wake, gatherMs: o.gatherMs, segment: o.segment })
  if (!opened.ok) return opened
  const loop = opened.value
  const tested = loopSelfTest(loop)
  const socket = tested.ok ? bindClients(loop, o) : tested
  if (!socket.ok) {
    loop.close()
    return socket
  }
  for (const memory of [loop.incoming.memory, loop.outgoing.memory]) crypto.value.handleInPlace(memory)
  loop.held.onMemory = (memory) => crypto.value.handleInPlace(memory)
  return ok({
    provider: 'native', fallback: undefined, socket: socket.value, udp: nativeUdp(loop, { bufferOctets: PLAIN_BUFFER_OCTETS }), scheduler: loop.scheduler, crypto: crypto.value,
    buffers: { ...socket.value.granted, wanted: BUFFER_OCTETS }, sends: () => loop.sends, own: () => ({ unsent: loop.unsent, overflowed: socket.value.overflowed }),
    async run() {
      await loop.run()
      loop.close()
    },
    stop: () => loop.stop(),
  })
}

function bindClients(loop: NativeLoop, { bind, share }: PlanePortsOptions): Result<NativeSocket> {
  if (share === undefined) return loop.bind(bind, { bufferOctets: BUFFER_OCTETS })
  // Who shares a port would share it with another program of the same user as well.
  const free = share.first ? loop.bind(bind, { bufferOctets: PLAIN_BUFFER_OCTETS }) : undefined
  if (free?.ok === false) return free
  free?.value.close()
  return loop.bind({ ...bind, port: free?.value.local.port ?? bind.port }, { bufferOctets: BUFFER_OCTETS, share: share.workers })
}

async function portablePorts(o: PlanePortsOptions, fallback: Fault | undefined): Promise<Result<PlanePorts>> {
  const udp = nodeUdp({ bufferOctets: PORTABLE_BUFFER_OCTETS })
  try {
    const socket = await udp.bind(o.bind)
    return ok({
      provider: 'portable', fallback, socket, udp, scheduler: realScheduler(), crypto: createNodeCrypto(),
      buffers: { ...socket.granted, wanted: PORTABLE_BUFFER_OCTETS }, own: () => ({ unsent: socket.refused, overflowed: 0 }),
      run: async () => {},
      stop() {},
    })
  } catch (e) {
    return { ok: false, fault: makeFault('NET_BIND', e instanceof Error ? e.message : String(e)) }
  }
}
