/** Two ends of a key agreement over a carrier that loses, repeats, reorders, and that somebody may sit on. Virtual time. */
import { type Der, type Instant, instant } from '../../src/base/brand.ts'
import type { Result } from '../../src/base/result.ts'
import type { Signer } from '../../src/crypto/port.ts'
import type { Identity } from '../../src/model/identity.ts'
import { verifyPath } from '../../src/protocol/x509/path.ts'
import { AgreementMachine, type AgreementOptions, type AgreementOut } from '../../src/protocol/keyagreement/machine.ts'
import { anchorsOf, crypto, issue, NOW, testCa } from './certificates.ts'
import { SeededNumbers } from './seeded-random.ts'

export const callCa = testCa({ name: 'Call Authority' })
const anchors = anchorsOf(callCa)
export const judge = (chain: readonly Der[]): Result<Identity> => verifyPath(crypto, chain, anchors, [], NOW)

/** `sips`: SIP and telephone URIs in the certificate. */
export function person(name: string, ca = callCa, sips: readonly string[] = []): { chain: readonly Der[]; signer: Signer } {
  const { chain, pkcs8 } = issue(ca, { name, sips })
  return { chain, signer: crypto.signer('ecdsa-p256-sha256', pkcs8) }
}

export const optionsOf = (change: Partial<AgreementOptions> = {}): AgreementOptions => ({ crypto, offers: { carrier: 'message', able: ['message', 'in-band'], codec: 'g722' }, judge, ...change })

type Confirmed = Extract<AgreementOut, { kind: 'confirmed' }>

export class End {
  readonly machine: AgreementMachine
  readonly events: AgreementOut[] = []
  readonly sent: Uint8Array[] = []
  wakeAt = Number.POSITIVE_INFINITY

  constructor(options: AgreementOptions) {
    this.machine = new AgreementMachine(options)
  }
  step(input: Parameters<AgreementMachine['step']>[0], now: Instant): readonly Uint8Array[] {
    const { out, wakeAt } = this.machine.step(input, now)
    this.wakeAt = wakeAt ?? Number.POSITIVE_INFINITY
    this.events.push(...out.filter((o) => o.kind !== 'send'))
    const sends = out.flatMap((o) => (o.kind === 'send' ? [o.bytes] : []))
    this.sent.push(...sends)
    return sends
  }
  get confirmed(): Confirmed | undefined {
    return this.events.find((e) => e.kind === 'confirmed')
  }
  get words(): string | undefined {
    return this.events.find((e) => e.kind === 'short-string')?.value.words.join(' ')
  }
  get failure(): string | undefined {
    return this.events.find((e) => e.kind === 'failed')?.fault.code
  }
  get refused(): string[] {
    return this.events.flatMap((e) => (e.kind === 'refused' ? [e.fault.code] : []))
  }
}

export interface Line {
  readonly seed?: string
  readonly loss?: number
  readonly duplicates?: number
  readonly jitterMs?: number
  /** What somebody in the way makes of a message; nothing: it is gone. */
  readonly between?: (bytes: Uint8Array, from: End) => readonly Uint8Array[]
  readonly forMs?: number
}

/** Runs both until nothing more happens or the time is over; 30 ms one way. */
export function run(a: End, b: End, starters: readonly End[] = [a], line: Line = {}): void {
  const n = new SeededNumbers(line.seed ?? 'line')
  let queue: { at: number; to: End; bytes: Uint8Array }[] = []
  let now = 0
  const deliver = (from: End, messages: readonly Uint8Array[]): void => {
    for (const m of messages.flatMap((bytes) => [...(line.between?.(bytes, from) ?? [bytes])])) {
      for (let copies = n.chance(line.duplicates ?? 0) ? 2 : 1; copies > 0; copies--) {
        if (!n.chance(line.loss ?? 0)) queue.push({ at: now + 30 + n.int(line.jitterMs ?? 0), to: from === a ? b : a, bytes: m.slice() })
      }
    }
  }
  for (const s of starters) deliver(s, s.step({ kind: 'start' }, instant(now)))
  while (now < (line.forMs ?? 60_000)) {
    const next = queue.toSorted((x, y) => x.at - y.at)[0]
    const wake = Math.min(a.wakeAt, b.wakeAt)
    const at = Math.min(next?.at ?? Number.POSITIVE_INFINITY, wake)
    if (at === Number.POSITIVE_INFINITY) return
    now = Math.max(now, at)
    if (next !== undefined && next.at <= wake) {
      queue = queue.filter((q) => q !== next)
      deliver(next.to, next.to.step({ kind: 'message', bytes: next.bytes }, instant(now)))
    } else for (const end of [a, b]) if (end.wakeAt <= now) deliver(end, end.step({ kind: 'tick' }, instant(now)))
  }
}
