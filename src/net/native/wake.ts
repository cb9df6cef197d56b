/**
 * Wakes a loop that waits in another thread of this process. Who starts the thread makes the handle, and gives it
 * back once the thread has ended: nobody may write to a descriptor that could be something else by then.
 */
import type { Brand } from '../../base/brand.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { EFD_CLOEXEC, EFD_NONBLOCK } from './layout.ts'
import { reason, systemCalls } from './system.ts'

/** An eventfd. */
export type WakeHandle = Brand<number, 'WakeHandle'>

/** From any thread of the process, while whoever made the handle has it. */
export function wakeThread(handle: WakeHandle | undefined): void {
  const system = systemCalls()
  if (handle !== undefined && system.ok) system.value.eventfdWrite(handle, 1)
}

export class Waker implements Disposable {
  readonly handle: WakeHandle
  #closed = false

  private constructor(handle: WakeHandle) {
    this.handle = handle
  }
  /** Fails with NATIVE_UNAVAILABLE, NATIVE_CALL. */
  static create(): Result<Waker> {
    const system = systemCalls()
    if (!system.ok) return system
    const fd = system.value.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
    return fd < 0 ? err('NATIVE_CALL', reason(system.value, 'eventfd')) : ok(new Waker(fd as WakeHandle))
  }
  wake(): void {
    if (!this.#closed) wakeThread(this.handle)
  }
  [Symbol.dispose](): void {
    const system = systemCalls()
    if (!this.#closed && system.ok) system.value.close(this.handle)
    this.#closed = true
  }
}
