/** Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3). */
import { tagOf } from '../address.ts'
import type { SipRequest, SipResponse } from '../message.ts'
import { branchCookie, branchOf } from '../via.ts'

/** The key of a client transaction: branch of our own Via, and the method of CSeq. */
export const clientKey = (m: SipRequest | SipResponse): string => `${branchOf(m.via[0]!)}|${m.cseq.method}`

/** The key of a server transaction. ACK has its INVITE's; so has CANCEL when `method` says so. */
export function serverKey(request: SipRequest, method = request.method): string {
  const via = request.via[0]!
  const kind = method === 'ACK' ? 'INVITE' : method
  const branch = branchOf(via)
  if (branch.toLowerCase().startsWith(branchCookie.toLowerCase())) return `${branch}|${via.host.toLowerCase()}:${via.port ?? ''}|${kind}`
  // RFC 2543 elements: no unique branch (§17.2.3). To is left out, since the ACK has our tag and the INVITE has none.
  return ['2543', request.uri.text, tagOf(request.from), request.callId, request.cseq.number, via.text, kind].join('|')
}

/** Requests that came by two ways have this in common, and different transactions (§8.2.2.2). */
export const mergeKeyOf = (request: SipRequest): string => [tagOf(request.from), request.callId, request.cseq.number, request.cseq.method].join('|')
