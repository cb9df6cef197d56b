/** Why a call came to nothing, from the answer to its INVITE. */
import type { FaultCode } from '../../../base/faults/index.ts'
import { type Fault, makeFault } from '../../../base/result.ts'
import { safeText } from '../../../model/identity.ts'
import { headerOf, type SipResponse } from '../../../protocol/sip/index.ts'

const BY_STATUS: Readonly<Record<number, FaultCode>> = {
  401: 'LINE_PASSWORD', 403: 'LINE_REFUSED', 404: 'LINE_NO_NUMBER', 407: 'LINE_PASSWORD', 408: 'LINE_NO_ANSWER', 410: 'LINE_NO_NUMBER', 480: 'LINE_NOT_THERE', 484: 'LINE_NO_NUMBER',
  486: 'LINE_BUSY', 488: 'LINE_NO_CODEC', 503: 'LINE_NO_SERVICE', 504: 'LINE_NO_SERVICE', 600: 'LINE_BUSY', 603: 'LINE_DECLINED', 604: 'LINE_NO_NUMBER', 606: 'LINE_NO_CODEC',
}

/** The status, and what the other side has to say beside it: untrusted, so cut and cleaned. */
export function faultOf(response: SipResponse): Fault {
  const said = /^399 \S+ "(.*)"$/.exec(headerOf(response, 'Warning') ?? '')?.[1]
  const code = BY_STATUS[response.status] ?? 'LINE_REFUSED'
  const detail = code === 'LINE_REFUSED' || said !== undefined ? safeText(`${response.status} ${said ?? response.reason}`, 120) : undefined
  return makeFault(code, detail)
}
