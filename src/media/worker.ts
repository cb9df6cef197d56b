/** Entry of a client's media thread: commands in and events out by the parent's port, frames by the vault's. */
import { isDeepStrictEqual } from 'node:util'
import type { MessagePort, Transferable } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import { codecFactory } from '../audio/codecs.ts'
import { loadOpus } from '../audio/opus.ts'
import { makeFault } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import { resolveAddresses } from '../net/resolve.ts'
import type { HopId, MediaCommand, MediaEvent } from './api.ts'
import { openClientFooting } from './client-footing.ts'
import type { PlaneChoice } from './plane-choice.ts'
import { portVault } from './frames-port.ts'
import { createMediaSession } from './session/session.ts'
import { BEAT, beat } from './thread-watch.ts'

export interface MediaWorkerData {
  readonly vaultPort: MessagePort
  readonly plane: PlaneChoice
  /** Where it counts what it is asked (thread-watch.ts). */
  readonly beats: Int32Array<SharedArrayBuffer>
}

/** The first message of the thread, before any event. */
export const READY = 'ready'

async function main(port: MessagePort, { vaultPort, plane, beats }: MediaWorkerData): Promise<void> {
  const emit = (e: MediaEvent): void => {
    const transfer: Transferable[] = e.op === 'phone.heard' ? [e.pcm.buffer as ArrayBuffer] : []
    port.postMessage(e, transfer)
  }
  const opus = await loadOpus()
  if (!opus.ok) emit({ op: 'fault', code: opus.fault.code, message: opus.fault.message, about: 'codecs' })
  const footing = await openClientFooting(plane)
  if (footing.fault !== undefined) emit({ op: 'fault', code: footing.fault.code, message: footing.fault.message, about: 'media thread' })
  const session = createMediaSession({ udp: footing.udp, scheduler: footing.scheduler, crypto: footing.crypto, codecs: codecFactory(opus.ok ? opus.value : undefined), vault: portVault(vaultPort), emit })
  /** Hops whose server's name is being looked up, by the generation that is wanted. */
  const resolving = new Map<HopId, number>()
  const resolved = new Map<HopId, { readonly asked: readonly AddressPort[]; readonly found: readonly AddressPort[] }>()
  const openHop = async (c: Extract<MediaCommand, { op: 'hop.open' }>): Promise<void> => {
    // New keys wait for no name server.
    const before = resolved.get(c.hop)
    if (before !== undefined && isDeepStrictEqual(before.asked, c.remotes)) {
      resolving.delete(c.hop)
      return session.command({ ...c, remotes: before.found })
    }
    resolving.set(c.hop, c.generation)
    const remotes = await resolveAddresses(c.remotes, (host, reason) => emit({ op: 'fault', code: 'NET_RESOLVE', message: makeFault('NET_RESOLVE', `${host} (${reason})`).message, about: `hop ${c.hop}` }))
    // Closed, or opened anew, in the meantime.
    if (resolving.get(c.hop) !== c.generation) return
    resolving.delete(c.hop)
    if (remotes.length > 0) resolved.set(c.hop, { asked: c.remotes, found: remotes })
    session.command({ ...c, remotes })
  }
  port.on('message', (c: MediaCommand | typeof BEAT) => {
    if (c === BEAT) return beat(beats)
    if (c.op === 'hop.open') {
      void openHop(c)
      return
    }
    if (c.op === 'hop.close') {
      resolving.delete(c.hop)
      resolved.delete(c.hop)
    }
    session.command(c)
    if (c.op !== 'stop') return
    // Sockets, timers and ports were all that kept the thread alive.
    resolving.clear()
    vaultPort.close()
    port.close()
    footing.stop()
  })
  port.postMessage(READY)
  await footing.run()
}

if (parentPort !== null) void main(parentPort, workerData as MediaWorkerData)
