/**
 * How a thread that waits in our loop still hears of Node's events: the descriptor by which Node's loop of this thread waits
 * (libuv's epoll set) is watched like a socket, for epoll sets nest (epoll(7)). Whoever posts a message to the thread wakes it thereby.
 */
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { MessageChannel } from 'node:worker_threads'
import { err, ok, type Result } from '../../base/result.ts'
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './layout.ts'
import type { NativeLoop } from './loop.ts'
import { reason, type System, systemCalls } from './system.ts'

const FILES = '/proc/self/fd'
const TRIES = 50
/** So long Node may have other work at first: on a busy machine its compiler alone calls for tens of milliseconds. */
const BUSY_MS = 1000
const WAIT_MS = 10

/** One turn of Node's loop: what came is handled, promises settle. */
export const nodeTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** `loop` comes up for every event of Node in this thread from now on. Fails with NATIVE_CALL, also where a message is posted and it does not. */
export async function watchNode(loop: NativeLoop): Promise<Result<void>> {
  const system = systemCalls()
  if (!system.ok) return system
  const found = await nodeDescriptor(system.value)
  const watched = found.ok ? loop.watchNode(found.value) : found
  return watched.ok ? tryMessage(loop) : watched
}

/** Found by a socket that only Node's loop of this thread knows: Node names neither its loop nor the descriptor. */
async function nodeDescriptor(system: System): Promise<Result<number>> {
  const fd = system.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) return err('NATIVE_CALL', reason(system, 'socket'))
  const mark = createSocket('udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      mark.once('error', reject)
      mark.once('listening', resolve)
      mark.bind({ fd })
    })
    // Node's loop begins to watch it in its next turn.
    await nodeTurn()
    const found = epollWith(fd)
    return found === undefined ? err('NATIVE_CALL', 'no epoll set of Node') : ok(found)
  } catch (e) {
    return err('NATIVE_CALL', e instanceof Error ? e.message : String(e))
  } finally {
    // It owns the descriptor.
    mark.close()
  }
}

/** The epoll set of this process that watches `fd` (proc_pid_fdinfo(5)). */
function epollWith(fd: number): number | undefined {
  const watches = new RegExp(`^tfd:\\s+${fd}\\s`, 'm')
  for (const file of readdirSync(FILES)) {
    try {
      if (readlinkSync(`${FILES}/${file}`) === 'anon_inode:[eventpoll]' && watches.test(readFileSync(`/proc/self/fdinfo/${file}`, 'latin1'))) return Number(file)
    } catch {
      // Another thread closed it meanwhile.
    }
  }
  return undefined
}

/** Like every self-test: what does not work here is not used. */
async function tryMessage(loop: NativeLoop): Promise<Result<void>> {
  const { port1, port2 } = new MessageChannel()
  let heard = false
  port2.on('message', () => (heard = true))
  await nodeTurn()
  // Whatever else was on its way to Node is dealt with first.
  const patience = loop.exactNow() + BUSY_MS
  let idle = !loop.nodeReady(0)
  while (!idle && loop.exactNow() < patience) {
    await nodeTurn()
    idle = !loop.nodeReady(0)
  }
  port1.postMessage(0)
  const woken = loop.nodeReady(WAIT_MS)
  for (let i = 0; i < TRIES && !heard; i++) await nodeTurn()
  port1.close()
  return idle && woken && heard ? ok(undefined) : err('NATIVE_CALL', `self-test: messages ${idle ? '' : 'never end, '}${woken ? '' : 'wake nobody, '}${heard ? '' : 'do not arrive'}`)
}
