/** The Via header field (RFC 3261 §20.42, RFC 3581). */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { Param, Scanner } from './scanner.ts'
import { paramOf, showParams } from './scanner.ts'

export interface Via {
  readonly text: string
  /** Upper case: UDP, TCP, TLS, … */
  readonly transport: string
  /** IPv6 in brackets. */
  readonly host: string
  readonly port?: number
  readonly params: readonly Param[]
}

export function readVia(scan: Scanner): Result<Via> {
  const from = scan.at
  const bad = err('SIP_BAD_HEADER', 'Via')
  const protocol = scan.token()
  if (protocol === undefined || !scan.separator('/')) return bad
  const version = scan.token()
  if (protocol.toUpperCase() !== 'SIP' || version !== '2.0' || !scan.separator('/')) return bad
  const transport = scan.token()
  if (transport === undefined || !scan.space()) return bad
  const host = scan.host()
  if (host === undefined) return bad
  let port: number | undefined
  if (scan.separator(':')) {
    port = scan.port()
    if (port === undefined) return bad
  }
  const params = scan.params()
  if (params === undefined) return bad
  return ok({ text: scan.text.slice(from, scan.at), transport: transport.toUpperCase(), host, ...(port === undefined ? {} : { port }), params })
}

export function makeVia(transport: string, host: string, port: number | undefined, params: readonly Param[]): Via {
  const sentBy = port === undefined ? host : `${host}:${port}`
  return { text: `SIP/2.0/${transport} ${sentBy}${showParams(params)}`, transport, host, ...(port === undefined ? {} : { port }), params }
}

/** The same Via as its receiver marks it: where the request really came from (§18.2.1, RFC 3581 §4). */
export function markReceived(via: Via, address: string, port: number): Via {
  const named = via.host === address || via.host === `[${address}]`
  const asked = paramOf(via.params, 'rport') !== undefined
  if (named && !asked) return via
  const kept = via.params.filter((p) => !['received', 'rport'].includes(p.name.toLowerCase()))
  const rport = asked ? [{ name: 'rport', value: String(port) }] : []
  return makeVia(via.transport, via.host, via.port, [...kept, { name: 'received', value: address }, ...rport])
}

/** Begins every branch of RFC 3261 elements (§8.1.1.7). */
export const branchCookie = 'z9hG4bK'
export const branchOf = (via: Via): string => paramOf(via.params, 'branch') ?? ''
