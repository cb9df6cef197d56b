/**
 * Before anything else of the program: at SIGHUP its media threads hang, in a loop of their own or, with STC_TEST_HANG=call, in a call of the
 * system that nothing ends.
 */
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'
import { systemCalls } from '../../src/net/native/system.ts'
import { must } from '../../src/base/result.ts'
import { Memory } from '../../src/ffi/memory.ts'

const CHANNEL = 'stc-test-hang'

function hang(): void {
  if (process.env['STC_TEST_HANG'] !== 'call') for (;;);
  const system = must(systemCalls())
  const time = new Memory(system.library, 16)
  time.view.setUint32(0, 1_000_000, true)
  system.nanosleep(time.address(0, 16), 0)
}

if (isMainThread) {
  process.on('SIGHUP', () => {
    const channel = new BroadcastChannel(CHANNEL)
    channel.postMessage(0)
    channel.unref()
  })
}
else if (workerData !== null && typeof workerData === 'object' && 'beats' in workerData) {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = hang
  channel.unref()
}
