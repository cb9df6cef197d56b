/** Tests with real peers: which of them run beside each other. Each file has a process of its own, each lane one file at a time. */

/** They wait more than they compute, and run beside the others. */
const WAITING = /interop\/(asterisk|lan|openssl-\w+|package|pbx-(admission|clients|doctor|failures|restarts|roster)|provider|relay|relay-wire|sealed-(kamailio|states)|sipp|strangers)\.test\.ts$/
/** They need the whole machine: a group of six programs, three browsers and who is heard in them, what a picture costs. They run when the lanes are done. */
const ALONE = /interop\/(host|page-conference|page-frames)\.test\.ts$/

export class PeerQueue {
  readonly alone: readonly string[]
  readonly #busy: string[]
  readonly #waiting: string[]

  constructor(files: readonly string[]) {
    this.alone = files.filter((f) => ALONE.test(f))
    this.#waiting = files.filter((f) => WAITING.test(f))
    this.#busy = files.filter((f) => !ALONE.test(f) && !WAITING.test(f))
  }
  /** For lane 0, which computes, and lane 1, which waits. Whoever is done with its own helps the other from the end. */
  next(lane: 0 | 1): string | undefined {
    const [own, others] = lane === 0 ? [this.#busy, this.#waiting] : [this.#waiting, this.#busy]
    return own.shift() ?? others.pop()
  }
}
