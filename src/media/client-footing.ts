/** What a client's media stands on in its thread: sockets, time and ciphers, native ones or those that work everywhere. */
import type { Scheduler } from '../base/ports.ts'
import type { Fault, Result } from '../base/result.ts'
import { ok } from '../base/result.ts'
import { createNativeCrypto } from '../crypto/native/index.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { loopSelfTest, NativeLoop, nativeUdp, watchNode } from '../net/native/index.ts'
import { nodeUdp } from '../net/node-udp.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { UdpPort } from '../net/udp.ts'
import type { PlaneChoice } from './plane-choice.ts'

export interface ClientFooting {
  readonly udp: UdpPort
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  /** Why it is not the native one, where somebody should know. */
  readonly fault: Fault | undefined
  /** Drives the sockets until `stop`; at once where Node's own loop does. */
  run(): Promise<void>
  stop(): void
}

/** Room for about a second of twenty streams while the thread is busy. */
const BUFFER_OCTETS = 1 << 20
const RECEIVE_SLOTS = 32
/**
 * A large room brings packets all the time, which nobody needs before the next tick: a wake-up takes what came within so
 * long. It costs a wake-up itself, so it begins where two of them bring four packets. Relayed calls wait as well where there are seven and more.
 */
const GATHER = { gatherMs: 4, gatherFrom: 600 } as const
/** Thirty phones twice over. */
const SEND_SLOTS = 256

export async function openClientFooting(choice: PlaneChoice): Promise<ClientFooting> {
  if (choice === 'portable') return portable(undefined)
  const native = await openNative()
  if (native.ok) return native.value
  // A system where it does not exist is no news; answers that are wrong are, and so is a wish that is not met.
  return portable(choice === 'native' || native.fault.code !== 'NATIVE_UNAVAILABLE' ? native.fault : undefined)
}

const portable = (fault: Fault | undefined): ClientFooting => ({ udp: nodeUdp(), scheduler: realScheduler(), crypto: createNodeCrypto(), fault, run: async () => {}, stop() {} })

/** Fails with NATIVE_UNAVAILABLE, NATIVE_CALL, CRYPTO_SELF_TEST. */
async function openNative(): Promise<Result<ClientFooting>> {
  const crypto = createNativeCrypto()
  if (!crypto.ok) return crypto
  const opened = NativeLoop.open({ ...GATHER, receiveSlots: RECEIVE_SLOTS, sendSlots: SEND_SLOTS })
  if (!opened.ok) return opened
  const loop = opened.value
  const tested = loopSelfTest(loop)
  const ready = tested.ok ? await watchNode(loop) : tested
  if (!ready.ok) {
    loop.close()
    return ready
  }
  for (const memory of [loop.incoming.memory, loop.outgoing.memory]) crypto.value.handleInPlace(memory)
  return ok({
    udp: nativeUdp(loop, { bufferOctets: BUFFER_OCTETS }), scheduler: loop.scheduler, crypto: crypto.value, fault: undefined,
    async run() {
      await loop.run()
      loop.close()
    },
    stop: () => loop.stop(),
  })
}
