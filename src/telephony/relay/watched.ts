/**
 * Whether our side's end of a call that stands is still there. RTP says nothing (a muted phone may send none), and not every phone has session
 * timers (RFC 4028): it is asked by OPTIONS inside the dialog, in the far party's name (RFC 5057 §5.1: 408 and 481 end it).
 */
import { requestInDialog, type SipRequest } from '../../protocol/sip/index.ts'
import { Liveness } from '../liveness.ts'
import type { SipFlow } from '../transport.ts'
import { askSip } from './alive.ts'
import type { HalfContext } from './context.ts'
import { type RelayedDialog, unwatched, type Watch } from './dialogs.ts'
import { isRefusal } from './side.ts'

/** Connections that are gone may come back, and the call goes on with their phone. */
const UNREACHABLE = 2
const OUTSIDE_MS = 5000

export function watched(c: HalfContext, d: RelayedDialog, gone: () => void): Watch {
  const { side } = c.o
  if (side.livenessMs === undefined) return unwatched
  let over = false
  let unreachable = 0
  /** Signs of life so far. */
  let signs = 0
  const liveness = new Liveness((ms, run) => c.after(ms, run), side.livenessMs, () => ask())
  const heard = (): void => {
    unreachable = 0
    signs++
    liveness.heard()
  }
  const end = (): void => {
    if (!over) gone()
  }
  const ask = (): void => {
    const request = probe(d)
    const flow = flowFor(request)
    const before = signs
    /** It has spoken since: the next question is on its way. */
    const stale = (): boolean => over || signs !== before
    c.o.endpoint(flow).request(request, flow, {
      response: (r) => {
        if (stale() || r.status < 200) return
        if (Liveness.isGone(r.status)) end()
        else heard()
      },
      failed: (why) => {
        if (stale()) return
        if (why === 'unreachable' && ++unreachable < UNREACHABLE) liveness.heard()
        else outside(flow, stale)
      },
    })
  }
  /** Where the phone is by now: it may have registered over another connection. */
  const flowFor = (request: SipRequest): SipFlow => {
    const now = side.route(request, d.flow)
    return isRefusal(now) ? (side.current?.(d.flow) ?? d.flow) : now
  }
  /** Phones that drop what they take for an old request are asked as strangers. */
  const outside = (flow: SipFlow, stale: () => boolean): void => {
    const { uri } = side.rewriter(flow).recordRoute
    askSip({ endpoint: c.o.endpoint(flow), flow, host: uri.kind === 'sip' ? uri.host : '', user: 'stc', scheduler: c.o.scheduler, random: c.o.random }, OUTSIDE_MS, (answered) => {
      if (answered) heard()
      else if (!stale()) end()
    })
  }
  liveness.heard()
  return { heard, stop: () => {
    over = true
    liveness.stop()
  } }
}

/** With the number of the far party's last request, not one more: its next one would seem a repetition (RFC 3261 §12.2.2). Where a phone minds it says 500, and lives. */
function probe(d: RelayedDialog): SipRequest {
  return requestInDialog(d.dialog, 'OPTIONS', { cseq: d.dialog.localSeq, headers: [{ name: 'Accept', value: 'application/sdp' }] }).request
}
