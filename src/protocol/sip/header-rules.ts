/** What a header field that we use must look like; fields that we do not use are not judged (RFC 4475 §3.1.2.12). */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { parseAddress, parseList, readAddress } from './address.ts'
import type { Header } from './message.ts'
import { isToken, Scanner } from './scanner.ts'

/** Methods with a meaning here or in a registered extension. Others are answered 501. */
export const knownMethods: ReadonlySet<string> = new Set(['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'PRACK', 'UPDATE', 'INFO', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'PUBLISH'])

/** Two of these, even if equal, make a message malformed (RFC 3261 §7.3.1, RFC 4475 §3.3.8 and §3.3.9). */
export const singleValued: ReadonlySet<string> = new Set([
  'From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length', 'Content-Type', 'Content-Encoding', 'Expires', 'Min-Expires', 'Min-SE',
  'Session-Expires', 'RSeq', 'RAck', 'Refer-To', 'Replaces', 'Event',
])

type Rule = (value: string) => boolean

const numeric: Rule = (v) => /^[0-9]+$/.test(v)
const tokenList: Rule = (v) => v === '' || v.split(',').every((t) => isToken(t.trim()))
const addressList: Rule = (v) => parseList(v, readAddress).ok
const mediaType: Rule = (v) => {
  const scan = new Scanner(v)
  return scan.token() !== undefined && scan.separator('/') && scan.token() !== undefined && scan.params() !== undefined && scan.ended()
}
const numericWithParams: Rule = (v) => {
  const scan = new Scanner(v)
  return scan.digits() !== undefined && scan.params() !== undefined && scan.ended()
}

const rules: Readonly<Record<string, Rule>> = {
  Contact: (v) => v === '*' || addressList(v),
  Route: addressList,
  'Record-Route': addressList,
  Path: addressList,
  'Refer-To': (v) => parseAddress(v).ok,
  'Max-Forwards': numeric,
  'Content-Length': (v) => numeric(v) && v.length <= 10,
  'Content-Type': mediaType,
  Expires: numeric,
  'Session-Expires': numericWithParams,
  'Min-SE': numericWithParams,
  RSeq: numeric,
  RAck: (v) => /^[0-9]{1,10}[ \t]+[0-9]{1,10}[ \t]+[^ \t]+$/.test(v),
  Require: tokenList,
  'Proxy-Require': tokenList,
  Supported: tokenList,
  Allow: tokenList,
}

export function checkHeader(h: Header): Result<void> {
  const rule = Object.hasOwn(rules, h.name) ? rules[h.name] : undefined
  return rule === undefined || rule(h.value) ? ok(undefined) : err('SIP_BAD_HEADER', h.name)
}
