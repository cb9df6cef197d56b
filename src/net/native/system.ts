/** The system calls of the native sockets, by the C library's names. */
import { getSystemErrorName } from 'node:util'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { Address, ForeignType, Library } from '../../ffi/library.ts'
import { processLibrary } from '../../ffi/library.ts'

export interface System {
  readonly library: Library
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Address, length: number): number
  getsockname(fd: number, address: Address, lengthAt: Address): number
  setsockopt(fd: number, level: number, name: number, value: Address, length: number): number
  getsockopt(fd: number, level: number, name: number, value: Address, lengthAt: Address): number
  recvmmsg(fd: number, messages: Address, count: number, flags: number, timeout: Address): number
  sendmmsg(fd: number, messages: Address, count: number, flags: number): number
  close(fd: number): number
  epollCreate(flags: number): number
  epollCtl(epoll: number, operation: number, fd: number, event: Address): number
  epollWait(epoll: number, events: Address, count: number, timeoutMs: number): number
  eventfd(value: number, flags: number): number
  eventfdRead(fd: number, valueAt: Address): number
  eventfdWrite(fd: number, value: number): number
  nanosleep(time: Address, left: Address): number
  inetPton(family: number, text: string, to: Address): number
  inetNtop(family: number, from: Address, to: Address, room: number): Address
}

let loaded: Result<System> | undefined

/** Looked up once per thread. Fails with NATIVE_UNAVAILABLE. */
export const systemCalls = (): Result<System> => (loaded ??= load())

function load(): Result<System> {
  const found = processLibrary()
  if (!found.ok) return found
  const library = found.value
  const f = (name: string, ...parameters: ForeignType[]) => library.find(name, 'int', parameters)
  try {
    return ok({
      library,
      socket: f('socket', 'int', 'int', 'int'),
      bind: f('bind', 'int', 'pointer', 'int'),
      getsockname: f('getsockname', 'int', 'pointer', 'pointer'),
      setsockopt: f('setsockopt', 'int', 'int', 'int', 'pointer', 'int'),
      getsockopt: f('getsockopt', 'int', 'int', 'int', 'pointer', 'pointer'),
      recvmmsg: f('recvmmsg', 'int', 'pointer', 'int', 'int', 'pointer'),
      sendmmsg: f('sendmmsg', 'int', 'pointer', 'int', 'int'),
      close: f('close', 'int'),
      epollCreate: f('epoll_create1', 'int'),
      epollCtl: f('epoll_ctl', 'int', 'int', 'int', 'pointer'),
      epollWait: f('epoll_wait', 'int', 'pointer', 'int', 'int'),
      eventfd: f('eventfd', 'int', 'int'),
      eventfdRead: f('eventfd_read', 'int', 'pointer'),
      eventfdWrite: f('eventfd_write', 'int', 'long'),
      nanosleep: f('nanosleep', 'pointer', 'pointer'),
      inetPton: f('inet_pton', 'int', 'string', 'pointer'),
      inetNtop: library.find('inet_ntop', 'pointer', ['int', 'pointer', 'pointer', 'int']),
    })
  } catch (e) {
    return err('NATIVE_UNAVAILABLE', e instanceof Error ? e.message : String(e))
  }
}

/** Why the call that was just made failed, for people. */
export const reason = (s: System, call: string): string => `${call}: ${errorName(s.library.errno())}`

function errorName(errno: number): string {
  try {
    return getSystemErrorName(-errno)
  } catch {
    return `error ${errno}`
  }
}
