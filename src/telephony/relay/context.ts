/** What both directions of a half share. */
import { toHex } from '../../base/bytes.ts'
import { type Instant, instant } from '../../base/brand.ts'
import type { Random, Scheduler, Stop } from '../../base/ports.ts'
import { err, type Fault, ok, type Result } from '../../base/result.ts'
import { type Header, parseMessage, quote, type SipMessage } from '../../protocol/sip/index.ts'
import type { SipEndpoint, SipFlow } from '../index.ts'
import { Bodies } from './bodies.ts'
import { Dialogs, type RelayedDialog, unwatched, type Watch } from './dialogs.ts'
import { type Leg, newLeg } from './leg.ts'
import type { RelayMedia } from './media.ts'
import type { LocalSide } from './side.ts'
import type { TunnelMessage, TunnelSend } from './tunnel.ts'

export interface HalfOptions {
  readonly endpoint: (flow: SipFlow) => Pick<SipEndpoint, 'request' | 'sendAck'>
  readonly side: LocalSide
  readonly send: TunnelSend
  /** When anything came from the other half's machine last; left out: it is this one. */
  readonly heardAt?: () => Instant | undefined
  readonly media: RelayMedia
  readonly scheduler: Scheduler
  readonly random: Random
  /** Something was refused or could not go on; `about` is for the log. */
  readonly report: (fault: Fault, about: string) => void
}

export class HalfContext {
  readonly o: HalfOptions
  readonly dialogs: Dialogs
  readonly bodies: Bodies
  readonly #timers = new Set<Stop>()
  /** Of a call that stands: set before there is one. */
  watch: (d: RelayedDialog) => Watch = () => unwatched

  constructor(options: HalfOptions) {
    this.o = options
    this.dialogs = new Dialogs(() => options.scheduler.now(), (d) => this.watch(d))
    this.bodies = new Bodies(options.side)
  }

  newLeg(flow: SipFlow, forHelp = false): Leg {
    const { media, side, random } = this.o
    return newLeg(media, side.mediaBind?.(flow) ?? side.mediaAddress(flow), side.keys?.(flow, forHelp), random, forHelp)
  }
  /** The returned function cancels; so does `close`. */
  after(ms: number, run: () => void): Stop {
    const { scheduler } = this.o
    const stop = scheduler.at(instant(scheduler.now() + ms), () => {
      this.#timers.delete(stop)
      run()
    })
    this.#timers.add(stop)
    return () => {
      this.#timers.delete(stop)
      stop()
    }
  }
  close(): void {
    for (const stop of this.#timers) stop()
    this.#timers.clear()
  }

  send(m: TunnelMessage): Result<void> {
    return this.o.send(m)
  }
  refuseFar(id: number, status: number, fault: Fault, about: string): void {
    this.o.report(fault, about)
    this.o.send({ k: 'sip-refused', id, status, code: fault.code, reason: fault.message.slice(0, 300) })
  }
  /** 64 bits (RFC 3261 §19.3 asks for 32). */
  tag(): string {
    return toHex(this.o.random.bytes(8))
  }
}

/** RFC 3261 §20.43, 399: for people. */
export const warning = (fault: Fault): Header => ({ name: 'Warning', value: `399 stc ${quote(fault.message.slice(0, 200))}` })

/** RFC 3326, in a BYE or CANCEL of ours. */
export const byeReason = (reason: string): Header => ({ name: 'Reason', value: `SIP;cause=503;text="${reason.replace(/["\\\x00-\x1f\x7f]/g, ' ').slice(0, 100)}"` })

/** Octets of the tunnel are as strict as those of a stream: one whole message. */
export function parseTunnelled<K extends SipMessage['kind']>(octets: Uint8Array, kind: K): Result<Extract<SipMessage, { kind: K }>> {
  const parsed = parseMessage(octets, { stream: true })
  if (!parsed.ok) return err('RELAY_BAD_MESSAGE', undefined, parsed.fault)
  const m = parsed.value
  return m.kind === kind ? ok(m as Extract<SipMessage, { kind: K }>) : err('RELAY_BAD_MESSAGE', `a ${m.kind} in place of a ${kind}`)
}

/** The status of faults that a half finds by itself. */
export const statusOfFault = (code: Fault['code']): number =>
  code === 'RELAY_BODY' ? 415 : code === 'RELAY_DOWN' ? 503 : code === 'RELAY_BAD_MESSAGE' || code === 'SDP_MALFORMED' ? 400 : code.startsWith('SDP_') || code.startsWith('RELAY_S') || code === 'RELAY_FAX' || code === 'RELAY_KEY_REUSED' || code === 'RELAY_MEDIA_ELSEWHERE' ? 488 : 500
/** What `statusOfFault` says besides 503. */
export const ownStatuses: ReadonlySet<number> = new Set([400, 415, 488, 500])
