/**
 * Whether Asterisk is the one that it was: calls that it has forgotten must end at the phones too. Three signs count: it says
 * another time of its start, or that it runs for a shorter time than a call stands, or neither its manager interface nor its
 * SIP is there any more. A manager interface that is cut off alone ends nothing.
 */
import { instant } from '../../base/brand.ts'
import type { Scheduler, Stop } from '../../base/ports.ts'
import type { Fault } from '../../base/result.ts'
import type { CouplingOptions, RelayLife } from './coupling-options.ts'
import { Orphans } from './orphans.ts'

export interface LifeOptions extends Pick<CouplingOptions, 'action' | 'legs' | 'log'> {
  readonly scheduler: Scheduler
  readonly relay: () => RelayLife | undefined
  /** It knows nothing any more of what there was. */
  readonly gone: (reason: string) => void
}

/** Its sockets were closed: it has ended, or its manager interface has. */
const ENDED_MS = 1000
/** It only is silent, as on a machine that is suspended for a moment. */
const SILENT_MS = 10_000
/** Silence without calls, where nothing is ended: a call that comes is refused at once instead of after the 4 s that an INVITE waits. Closed sockets have `ENDED_MS` then too. */
const IDLE_MS = 2000
/** While it cannot be asked, or is known to be dead. */
const AGAIN_MS = 1000
/** It answers SIP, and says nothing on its manager interface. */
const ALIVE_MS = 5000
/** It tells whole seconds, and takes a moment to take calls. */
const UPTIME_MS = 2000
const SILENCE = 'the telephone system does not answer'

export class Life {
  readonly #o: LifeOptions
  /** When it says that it was started. */
  #boot: string | undefined
  #watching = false
  #dead = false
  #cancel: Stop = () => {}
  #stopped = false
  readonly #orphans: Orphans

  constructor(options: LifeOptions) {
    this.#o = options
    this.#orphans = new Orphans(options)
  }
  /** Neither its manager interface nor its SIP is there. */
  get dead(): boolean {
    return this.#dead
  }

  async up(): Promise<void> {
    this.#watching = false
    this.#dead = false
    this.#cancel()
    this.#orphans.start()
    const status = await this.#o.action('CoreStatus')
    if (!status.ok) return
    const [answer] = status.value
    const boot = `${answer?.get('CoreStartupDate')} ${answer?.get('CoreStartupTime')}`
    const before = this.#boot
    this.#boot = boot
    if (before !== undefined && before !== boot) this.#o.gone('the telephone system was started anew')
  }
  /** How long it runs, as it says itself after a login: the first time that we ever see it, this is all that we have. */
  uptime(seconds: number): void {
    const since = this.#o.relay()?.since
    if (since === undefined || !Number.isSafeInteger(seconds) || seconds < 0) return
    if (seconds * 1000 + UPTIME_MS < this.#o.scheduler.now() - since) this.#o.gone('the telephone system was started anew')
  }
  /** Also at every attempt that fails. */
  down(fault: Fault): void {
    if (this.#watching || this.#stopped) return
    this.#watching = true
    this.#orphans.stop()
    void this.#watch(fault.code === 'PBX_SILENT' ? SILENT_MS : ENDED_MS)
  }
  stop(): void {
    this.#stopped = true
    this.#watching = false
    this.#orphans.stop()
    this.#cancel()
  }

  async #watch(patienceMs: number): Promise<void> {
    const relay = this.#o.relay()
    const busy = relay?.busy === true
    // A stranger's question would count as an attempt to guess: where nobody ever registered nobody is asked.
    const asked = relay !== undefined && (this.#dead || busy || relay.known)
    const answered = asked && (await relay.answers(this.#dead ? AGAIN_MS : busy ? patienceMs : Math.min(patienceMs, IDLE_MS)))
    if (!this.#watching) return
    const dead = asked && !answered
    if (dead && !this.#dead) {
      if (busy) this.#o.gone(SILENCE)
      else this.#o.log.warn({ code: 'PBX_GONE' }, `${SILENCE}; calls are refused until it does`)
    }
    this.#dead = dead
    const { scheduler } = this.#o
    this.#cancel = scheduler.at(instant(scheduler.now() + (answered ? ALIVE_MS : AGAIN_MS)), () => void this.#watch(patienceMs))
  }
}
