/** What the threads of one port are given, so that each knows the others. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { AddressPort } from '../net/address.ts'
import type { WakeHandle } from '../net/native/index.ts'
import { Waker, wakeThread } from '../net/native/index.ts'
import type { PortRange } from './plain/rtp-pair.ts'
import type { PlaneChoice } from './plane-choice.ts'
import type { PlaneTuning } from './plane-ports.ts'
import { MAX_LEGS } from './plane/portable.ts'
import type { LinkMessage, PlaneLink } from './plane/types.ts'
import { Whereabouts } from './plane/whereabouts.ts'

export interface StartPlaneOptions extends Partial<PlaneTuning> {
  /** Port 0 picks a free one; the handle's `local` tells. */
  readonly bind: AddressPort
  readonly choice?: PlaneChoice
  /** Threads that share the port, native ones only; the portable plane is one thread. */
  readonly workers?: number
  /** UDP ports of plain legs. */
  readonly ports?: PortRange
}

/** Without one the native plane is not possible. */
export const makeWaker = (choice: PlaneChoice): Waker | undefined => {
  const waker = choice === 'portable' ? undefined : Waker.create()
  return waker?.ok === true ? waker.value : undefined
}

/** What one thread of several gets: a port to each of the others, and how to wake it. */
export interface Peers {
  readonly worker: number
  readonly ports: readonly (MessagePort | undefined)[]
  readonly wake: readonly (WakeHandle | undefined)[]
  readonly where: SharedArrayBuffer
}

export function peersOf(wake: Peers['wake']): Peers[] {
  const ports: (MessagePort | undefined)[][] = wake.map(() => wake.map(() => undefined))
  for (let a = 0; a < wake.length; a++) {
    for (let b = a + 1; b < wake.length; b++) {
      const { port1, port2 } = new MessageChannel()
      ports[a]![b] = port1
      ports[b]![a] = port2
    }
  }
  const where = Whereabouts.memory(MAX_LEGS * wake.length)
  return ports.map((mine, worker) => ({ worker, ports: mine, wake, where }))
}

/** In the thread itself. */
export function linkOf({ worker, ports, wake, where }: Peers): PlaneLink {
  return {
    worker, workers: ports.length, where: new Whereabouts(where),
    send(to, m) {
      ports[to]?.postMessage(m)
      wakeThread(wake[to])
    },
    onMessage(listener) {
      for (const p of ports) p?.on('message', (m: LinkMessage) => listener(m))
    },
    close() {
      for (const p of ports) p?.close()
    },
  }
}

/** A part of the ports of its own for each thread: what one gave back rests before another call gets it. */
export function sharedPorts({ first, last }: PortRange, worker: number, workers: number): PortRange {
  const begin = first + (first % 2)
  const pairs = Math.max(0, Math.floor((last - begin + 1) / 2))
  const from = begin + 2 * Math.floor((pairs * worker) / workers)
  return { first: from, last: begin + 2 * Math.floor((pairs * (worker + 1)) / workers) - 1 }
}
