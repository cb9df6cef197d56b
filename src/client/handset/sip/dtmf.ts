/** Key presses in INFO: application/dtmf-relay (`Signal=5`) and application/dtmf (`5`), as phones send them. */
import { fromUtf8 } from '../../../base/bytes.ts'

/** One of 0-9 * # A-D, or undefined. Some phones send the event numbers of RFC 4733 (10 is *, 11 is #). */
export function digitOfInfo(contentType: string, body: Uint8Array): string | undefined {
  if (body.length > 200) return undefined
  const text = fromUtf8(body) ?? ''
  const signal = contentType === 'application/dtmf-relay' ? /^\s*signal\s*=\s*([^\s]+)/im.exec(text)?.[1] : text.trim()
  const digit = { '10': '*', '11': '#', '12': 'A', '13': 'B', '14': 'C', '15': 'D' }[signal ?? ''] ?? signal?.toUpperCase()
  return digit !== undefined && /^[0-9*#A-D]$/.test(digit) ? digit : undefined
}
