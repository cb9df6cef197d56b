/** The datagram port of a loop, for whoever knows no batches: same sockets, same memory. */
import type { UdpPort } from '../udp.ts'
import type { NativeLoop } from './loop.ts'
import type { NativeSocketOptions } from './socket.ts'

export const nativeUdp = (loop: NativeLoop, options: NativeSocketOptions): UdpPort => ({
  bind: async (at) => {
    const bound = loop.bind(at, options)
    if (bound.ok) return bound.value
    throw new Error(bound.fault.message)
  },
})
