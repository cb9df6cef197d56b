/** Whether somebody answers SIP there at all: one OPTIONS outside of any call (RFC 3261 §11). */
import { instant } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import type { Random, Scheduler } from '../../base/ports.ts'
import { makeAddress, sipUri, type SipRequest } from '../../protocol/sip/index.ts'
import type { SipEndpoint } from '../endpoint.ts'
import type { SipFlow } from '../transport.ts'

export interface AliveOptions {
  readonly endpoint: Pick<SipEndpoint, 'request'>
  readonly flow: SipFlow
  /** Our address on it. */
  readonly host: string
  /** In whose name: one that the PBX knows, or it takes us for a stranger who tries names, as fail2ban does then. */
  readonly user: string
  readonly scheduler: Scheduler
  readonly random: Random
}

/** Any answer is one, a refusal too. */
export function answersSip(o: AliveOptions, withinMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  askSip(o, withinMs, resolve)
  return promise
}
/** `done` is called once. */
export function askSip(o: AliveOptions, withinMs: number, done: (answered: boolean) => void): void {
  let over = false
  const end = (answered: boolean): void => {
    if (over) return
    over = true
    cancel()
    done(answered)
  }
  const cancel = o.scheduler.at(instant(o.scheduler.now() + withinMs), () => end(false))
  o.endpoint.request(optionsRequest(o), o.flow, { response: () => end(true), failed: () => end(false) })
}

function optionsRequest({ flow, host, user, random }: AliveOptions): SipRequest {
  const [tag, callId] = [toHex(random.bytes(8)), toHex(random.bytes(16))]
  const there = sipUri({ scheme: 'sip', host: flow.remote.address.includes(':') ? `[${flow.remote.address}]` : flow.remote.address, port: flow.remote.port, params: [] })
  const own = sipUri({ scheme: 'sip', user, host, port: flow.local.port, params: [] })
  return {
    kind: 'request', method: 'OPTIONS', uri: there, maxForwards: 70, via: [], callId, cseq: { number: 1, method: 'OPTIONS' },
    from: makeAddress(own, [{ name: 'tag', value: tag }]), to: makeAddress(there),
    headers: [{ name: 'Contact', value: `<${own.text}>` }, { name: 'Accept', value: 'application/sdp' }], body: new Uint8Array(0),
  }
}
