import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import type { StreamItem } from '../../../../src/protocol/sip/stream.ts'
import { SipStream } from '../../../../src/protocol/sip/stream.ts'

const message = (body: string, name = 'Content-Length'): Uint8Array => utf8(`OPTIONS sip:a SIP/2.0\r\n${name}: ${body.length}\r\nX: y\r\n\r\n${body}`)

test('property: however a stream is cut, the messages and pings in it come out', () => {
  const item = fc.oneof(fc.string({ unit: fc.constantFrom('a', '\r', '\n'), maxLength: 20 }).map((b) => message(b)), fc.constant(message('xy', 'l ')), fc.constant(utf8('\r\n\r\n')))
  fc.assert(fc.property(fc.array(item, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (items, cuts) => {
    const all = concat(...items)
    const stream = new SipStream()
    const got: StreamItem[] = []
    for (let at = 0, i = 0; at < all.length; i++) {
      const chunk = all.subarray(at, at + cuts[i % cuts.length]!)
      got.push(...must(stream.push(chunk)))
      at += chunk.length
    }
    assert.deepEqual(got.map((g) => (g.kind === 'ping' ? 'ping' : Buffer.from(g.bytes).toString())), items.map((i) => (i.length === 4 ? 'ping' : Buffer.from(i).toString())))
  }))
})

test('a stream without framing or beyond the limits is given up', () => {
  const codes = [utf8('OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n'), utf8('SIP/2.0 200 X\r\nContent-Length: 1\r\nl: 2\r\n\r\n'), utf8('SIP/2.0 200 X\r\nContent-Length: 1x\r\n\r\n'), utf8('SIP/2.0 200 X\r\nContent-Length: 99999\r\n\r\n'), utf8('x'.repeat(40000)), utf8('POST /?SIP/2.0 HTTP/1.1\r\nContent-Length: 0\r\n\r\n')].map((bytes) => {
    const r = new SipStream().push(bytes)
    return r.ok ? 'accepted' : r.fault.code
  })
  assert.deepEqual(codes, ['SIP_BAD_LENGTH', 'SIP_BAD_LENGTH', 'SIP_BAD_LENGTH', 'SIP_TOO_LARGE', 'SIP_TOO_LARGE', 'SIP_BAD_START_LINE'])
})
