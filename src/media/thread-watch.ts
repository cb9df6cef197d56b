/**
 * Notices a media thread that hangs: it lives, so nobody is told, but does nothing any more. It counts in shared memory what it is asked, and is
 * asked again at every look. An idle thread is woken for it once in `LOOK_MS`.
 */
import { url as debuggedAt } from 'node:inspector'

export const LOOK_MS = 2000
/** Looks in a row that find no answer: it hangs. */
const UNANSWERED = 3
/** A look that comes so late says that we did not run either: suspended, or starved. The thread gets its whole time again. */
const LATE_MS = LOOK_MS * 1.5

/** Asks the thread to count. */
export const BEAT = 'beat'

export const heartbeat = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(4))
export const beat = (beats: Int32Array<SharedArrayBuffer>): void => void Atomics.add(beats, 0, 1)

/** What looks say, without a clock. */
export class HangWatch {
  #beats = 0
  #at: number | undefined
  #unanswered = 0

  /** Every `LOOK_MS`, before asking again. True: it hangs. */
  look(now: number, beats: number): boolean {
    const late = this.#at === undefined || now - this.#at > LATE_MS
    this.#unanswered = late || beats !== this.#beats ? 0 : this.#unanswered + 1
    this.#beats = beats
    this.#at = now
    return this.#unanswered >= UNANSWERED
  }
}

/** `onHung` is called once. Whoever debugs a thread may stop it. */
export function watchThread(beats: Int32Array<SharedArrayBuffer>, ask: () => void, onHung: (detail: string) => void): Disposable {
  const watch = new HangWatch()
  const timer = setInterval(() => {
    if (watch.look(performance.now(), Atomics.load(beats, 0)) && debuggedAt() === undefined) {
      clearInterval(timer)
      onHung(`it hung: no answer for ${(UNANSWERED * LOOK_MS) / 1000} s`)
    } else ask()
  }, LOOK_MS).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
