/** The calls of our side that stand, as the other party sees them: found by their tags, ended by a BYE in its name when it is gone. */
import type { Instant } from '../../base/brand.ts'
import type { Header, SipRequest, SipResponse, Uri } from '../../protocol/sip/index.ts'
import { type Dialog, dialogOfCallee, dialogOfCaller, refreshTarget, requestInDialog, tagOf } from '../../protocol/sip/index.ts'
import type { SipFlow } from '../transport.ts'
import type { Leg } from './leg.ts'

export interface RelayedDialog {
  /** `local` is the far party, in whose name we speak; `remote` is our side's. */
  dialog: Dialog
  /** The same as our side sees it: in its name we speak to the far party when it is gone. */
  near: Dialog
  flow: SipFlow
  readonly leg: Leg
  readonly since: Instant
  watch: Watch
}

/** Of our side's end. */
export interface Watch {
  /** It gave a sign of life inside the call. */
  heard(): void
  stop(): void
}
export const unwatched: Watch = { heard: () => {}, stop: () => {} }

/** Of which it is known where they are; the oldest is forgotten, and asked for where others are. */
const SUBSCRIPTIONS = 500

/** Both orders of the tags name the same dialog. */
const keyOf = (callId: string, a: string, b: string): string => [callId, ...[a, b].sort()].join('|')
const moves = (request: SipRequest): boolean => request.method === 'INVITE' || request.method === 'UPDATE'
const keyOfMessage = (m: Pick<SipRequest, 'callId' | 'from' | 'to'>): string => keyOf(m.callId, tagOf(m.from), tagOf(m.to))

/** From the other end, where its messages do not say how it is reached. */
const mirrored = (d: Dialog, remoteTarget: Uri): Dialog => ({ ...d, local: d.remote, remote: d.local, remoteTarget, routeSet: [], localSeq: d.remoteSeq ?? 0, remoteSeq: undefined })

export class Dialogs {
  readonly #confirmed = new Map<string, RelayedDialog>()
  /** Early ones too: what a request inside may change. */
  readonly #legs = new Map<string, { readonly leg: Leg; readonly flow: SipFlow }>()
  /** Where those of the far party at our side are (RFC 6665 §4.1.2.2: they are refreshed inside their dialog). */
  readonly #subscriptions = new Map<string, SipFlow>()
  readonly #now: () => Instant

  readonly #watch: (d: RelayedDialog) => Watch

  constructor(now: () => Instant, watch: (d: RelayedDialog) => Watch = () => unwatched) {
    this.#now = now
    this.#watch = watch
  }
  get size(): number {
    return this.#confirmed.size
  }
  get standing(): RelayedDialog[] {
    return [...this.#confirmed.values()]
  }
  /** When the oldest of those that stand began. */
  get since(): Instant | undefined {
    // In the order in which they were answered.
    return this.#confirmed.values().next().value?.since
  }
  find(m: SipRequest | SipResponse): RelayedDialog | undefined {
    return this.#confirmed.get(keyOfMessage(m))
  }
  hasCall(callId: string): boolean {
    for (const key of this.#legs.keys()) if (key.startsWith(`${callId}|`)) return true
    return false
  }
  legOf(m: SipRequest | SipResponse): Leg | undefined {
    return this.#legs.get(keyOfMessage(m))?.leg
  }
  /** Where our side's end of the call or subscription is, early ones too. */
  flowOf(m: SipRequest | SipResponse): SipFlow | undefined {
    const key = keyOfMessage(m)
    return this.find(m)?.flow ?? this.#legs.get(key)?.flow ?? this.#subscriptions.get(key)
  }
  /** It belongs to a call or subscription that stands here, or to an early one. No registration does (RFC 3261 §10.2). */
  holds(request: SipRequest): boolean {
    return request.method !== 'REGISTER' && tagOf(request.to) !== '' && this.flowOf(request) !== undefined
  }
  /** A 2xx of our side to a SUBSCRIBE. */
  subscribed(m: SipResponse, flow: SipFlow): void {
    const key = keyOfMessage(m)
    this.#subscriptions.delete(key)
    this.#subscriptions.set(key, flow)
    if (this.#subscriptions.size > SUBSCRIPTIONS) this.#subscriptions.delete(this.#subscriptions.keys().next().value!)
  }
  /** A provisional response with a tag: requests may come inside. Gives a way to forget it, when no call came of it. */
  early(m: SipResponse, flow: SipFlow, leg: Leg): void {
    if (tagOf(m.to) !== '') this.#legs.set(keyOfMessage(m), { leg, flow })
  }
  forgetEarly(leg: Leg): void {
    for (const [key, l] of this.#legs) if (l.leg === leg && !this.#confirmed.has(key)) this.#legs.delete(key)
  }

  /** A 2xx to an INVITE of our side: `invite` as it sent it. */
  confirmCaller(invite: SipRequest, response: SipResponse, flow: SipFlow, leg: Leg): void {
    const [dialog, near] = [dialogOfCallee(invite, tagOf(response.to)), dialogOfCaller(invite, response)]
    if (dialog.ok) this.#confirm(keyOfMessage(response), dialog.value, near.ok ? near.value : mirrored(dialog.value, invite.uri), flow, leg)
  }
  /** A 2xx of our side: `invite` as it got it. */
  confirmCallee(invite: SipRequest, response: SipResponse, flow: SipFlow, leg: Leg): void {
    const [dialog, near] = [dialogOfCaller(invite, response), dialogOfCallee(invite, tagOf(response.to))]
    if (dialog.ok) this.#confirm(keyOfMessage(response), dialog.value, near.ok ? near.value : mirrored(dialog.value, invite.from.uri), flow, leg)
  }
  #confirm(key: string, dialog: Dialog, near: Dialog, flow: SipFlow, leg: Leg): void {
    const before = this.#confirmed.get(key)
    if (before !== undefined) {
      // A re-INVITE, or the same 2xx again: the route set stays (§12.2.1.2).
      before.dialog = { ...before.dialog, remoteTarget: dialog.remoteTarget, localSeq: Math.max(before.dialog.localSeq, dialog.localSeq) }
      before.near = { ...before.near, remoteTarget: near.remoteTarget, localSeq: Math.max(before.near.localSeq, near.localSeq) }
      return
    }
    leg.hold()
    this.#legs.set(key, { leg, flow })
    const d: RelayedDialog = { dialog, near, flow, leg, since: this.#now(), watch: unwatched }
    this.#confirmed.set(key, d)
    d.watch = this.#watch(d)
  }

  /** A request of the far party passed, as our side gets it: ours, if one has to be made, comes after it. */
  passed(request: SipRequest): void {
    const d = this.find(request)
    if (d === undefined) return
    if (request.cseq.number > d.dialog.localSeq) d.dialog = { ...d.dialog, localSeq: request.cseq.number }
    if (moves(request)) d.near = refreshTarget(d.near, request)
  }
  /** A request of our side passed: it may have moved. */
  moved(request: SipRequest, flow: SipFlow): void {
    const d = this.find(request)
    if (d === undefined) return
    d.watch.heard()
    if (request.cseq.number > d.near.localSeq) d.near = { ...d.near, localSeq: request.cseq.number }
    if (!moves(request)) return
    d.dialog = refreshTarget(d.dialog, request)
    d.flow = flow
  }

  /** BYE was answered. */
  end(m: Pick<SipRequest, 'callId' | 'from' | 'to'>): void {
    const key = keyOfMessage(m)
    const d = this.#confirmed.get(key)
    this.#confirmed.delete(key)
    this.#legs.delete(key)
    if (d === undefined) return
    d.watch.stop()
    d.leg.release()
    if (![...this.#confirmed.values()].some((other) => other.leg === d.leg)) d.leg.end()
  }
  over(d: RelayedDialog): void {
    this.end({ callId: d.dialog.callId, from: d.dialog.local, to: d.dialog.remote })
  }
  /** Everything is over: what has to be said to our side. */
  farewell(headers: readonly Header[]): { readonly request: SipRequest; readonly flow: SipFlow }[] {
    const byes = [...this.#confirmed.values()].map((d) => ({ request: requestInDialog(d.dialog, 'BYE', { headers }).request, flow: d.flow }))
    for (const d of this.#confirmed.values()) {
      d.watch.stop()
      d.leg.release()
    }
    this.#confirmed.clear()
    this.#legs.clear()
    return byes
  }
}
