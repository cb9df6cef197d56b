/** Where a description may want its media: at an address, of one host. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDescription } from '../../../../src/telephony/relay/sdp.ts'

const at = (c: string) => readDescription(new TextEncoder().encode(`v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n${c}t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`))

test('names, groups and nowhere at all are refused as addresses of media', () => {
  for (const address of ['phone.example', '224.0.0.1', '239.1.2.3', '255.255.255.255', '256.1.1.1']) {
    const r = at(`c=IN IP4 ${address}\r\n`)
    assert.equal(r.ok ? 'ok' : r.fault.code.replace('SDP_MALFORMED', 'SDP_NO_AUDIO'), 'SDP_NO_AUDIO', address)
  }
  for (const address of ['ff02::1', 'phone.example']) {
    const r = at(`c=IN IP6 ${address}\r\n`)
    assert.equal(r.ok ? 'ok' : r.fault.code.replace('SDP_MALFORMED', 'SDP_NO_AUDIO'), 'SDP_NO_AUDIO', address)
  }
  assert.equal(at('').ok, false)
  for (const address of ['IP4 192.0.2.1', 'IP6 2001:db8::1']) assert.equal(at(`c=IN ${address}\r\n`).ok, true)
})
