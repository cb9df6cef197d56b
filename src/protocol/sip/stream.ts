/** Messages out of a TCP or TLS stream (RFC 3261 §18.3), keep-alives included (RFC 5626 §4.4.1). */
import { concat, fromUtf8 } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { limits } from './limits.ts'
import { endOfHead } from './parse.ts'

export type StreamItem = { readonly kind: 'message'; readonly bytes: Uint8Array } | { readonly kind: 'ping' }

/** After a fault the stream has lost its framing: close the connection. */
export class SipStream {
  #held: Uint8Array = new Uint8Array(0)

  /** Octets as they come; whole messages and pings (CRLF CRLF between messages, to be answered by CRLF) as they are complete. */
  push(chunk: Uint8Array): Result<readonly StreamItem[]> {
    // A copy even when nothing was held: the chunk may be reused by its owner.
    const held = concat(this.#held, chunk)
    const items: StreamItem[] = []
    let at = 0
    for (;;) {
      const next = nextItem(held.subarray(at))
      if (!next.ok) return next
      at += next.value.taken
      if (next.value.item !== undefined) items.push(next.value.item)
      if (next.value.taken > 0) continue
      this.#held = held.slice(at)
      return ok(items)
    }
  }
}

/** `taken` 0: more octets are needed. */
function nextItem(held: Uint8Array): Result<{ taken: number; item?: StreamItem }> {
  if (held[0] === 13 && held[1] === 10) {
    if (held[2] === 13 && held[3] === 10) return ok({ taken: 4, item: { kind: 'ping' } })
    // A CRLF that ends the octets so far may be the first half of a ping.
    return ok({ taken: held.length === 2 || (held.length === 3 && held[2] === 13) ? 0 : 2 })
  }
  const end = endOfHead(held, 0)
  if (end > limits.head || (end < 0 && held.length > limits.head)) return err('SIP_TOO_LARGE', 'header section')
  if (end < 0) return ok({ taken: 0 })
  const head = fromUtf8(held.subarray(0, end))
  // A web page can make its browser send HTTP with SIP in its body to this machine: that connection ends here.
  if (head === undefined || !/^SIP\/|^[^\r]*SIP\/[0-9.]+\s*(?:\r|$)/i.test(head)) return err('SIP_BAD_START_LINE', 'something else than SIP in a stream')
  const length = announcedLength(head)
  if (length === undefined) return err('SIP_BAD_LENGTH', 'no usable Content-Length in a stream')
  const total = end + 4 + length
  if (total > limits.message) return err('SIP_TOO_LARGE', `${total} octets`)
  return ok(held.length < total ? { taken: 0 } : { taken: total, item: { kind: 'message', bytes: held.slice(0, total) } })
}

/** Exactly one Content-Length: two that differ would let two readers see two different streams. */
function announcedLength(head: string): number | undefined {
  const found = [...head.matchAll(/\r\n(?:content-length|l)[ \t]*:(?:[ \t]|\r\n[ \t])*([^\r\n]*)/gi)]
  const digits = found.length === 1 ? found[0]![1]!.trim() : ''
  return /^[0-9]{1,6}$/.test(digits) ? Number(digits) : undefined
}
