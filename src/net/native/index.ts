/** UDP in batches, for a thread that does nothing but media. */
export { NativeLoop } from './loop.ts'
export { watchNode } from './node-events.ts'
export { loopSelfTest } from './self-test.ts'
export type { NativeSocket } from './socket.ts'
export { nativeUdp } from './udp.ts'
export { type WakeHandle, Waker, wakeThread } from './wake.ts'
