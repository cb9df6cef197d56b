import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RtpSource } from '../../../../src/media/plain/source.ts'
import { isPrivate } from '../../../../src/net/private-address.ts'

const at = (address: string, port = 4000) => ({ address, port })

test('the negotiated address counts from any port, and answers go where it was heard', () => {
  const s = new RtpSource(at('192.168.1.5', 4000))
  assert.deepEqual(s.target, at('192.168.1.5', 4000))
  assert.ok(s.accepts(at('192.168.1.5', 5555)))
  s.heard(at('192.168.1.5', 5555))
  assert.deepEqual(s.target, at('192.168.1.5', 5555))
  assert.ok(!s.accepts(at('192.168.1.6', 4000)))
  s.negotiate(at('192.168.1.5', 4000))
  assert.deepEqual(s.target.port, 5555, 'the same answer again changes nothing')
  s.negotiate(at('192.168.1.5', 6000))
  assert.deepEqual(s.target.port, 6000)
})

test('who was heard first stays, unless it is the one that the SDP names', () => {
  const s = new RtpSource(at('192.168.1.5', 4000))
  s.heard(at('192.168.1.5', 5555))
  assert.ok(!s.accepts(at('192.168.1.5', 5556)), 'another port of the same host comes too late')
  assert.ok(s.accepts(at('192.168.1.5', 4000)))
  s.heard(at('192.168.1.5', 4000))
  assert.ok(!s.accepts(at('192.168.1.5', 5555)), 'and then nobody else')
  s.negotiate(at('192.168.1.5', 5555))
  assert.ok(s.accepts(at('192.168.1.5', 5555)), 'until it is signalled')
})

test('who was first through a NAT gives way to the address that was named', () => {
  const s = new RtpSource(at('10.1.2.3', 4000))
  s.heard(at('203.0.113.1', 999))
  assert.ok(s.accepts(at('10.1.2.3', 4000)))
  s.heard(at('10.1.2.3', 4000))
  assert.ok(!s.accepts(at('203.0.113.1', 999)))
})

test('a local phone may use any loopback address, nobody else', () => {
  const s = new RtpSource(at('127.0.0.1'))
  assert.ok(s.accepts(at('127.0.0.2', 9)) && s.accepts(at('::1', 9)))
  assert.ok(!s.accepts(at('192.168.1.6')) && !s.accepts(at('203.0.113.1')))
})

test('a phone behind a NAT: the first public source, then only that one', () => {
  const s = new RtpSource(at('10.1.2.3'))
  assert.ok(!s.accepts(at('10.1.2.4')))
  assert.ok(s.accepts(at('203.0.113.1', 999)))
  s.heard(at('203.0.113.1', 999))
  assert.ok(s.accepts(at('203.0.113.1', 999)))
  assert.ok(!s.accepts(at('203.0.113.2', 999)) && !s.accepts(at('203.0.113.1', 998)))
})

test('private ranges', () => {
  for (const a of ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', '100.127.0.1', '169.254.1.1', 'fd00::1', 'fe80::1']) assert.ok(isPrivate(a), a)
  for (const a of ['11.0.0.1', '172.15.0.1', '172.32.0.1', '192.169.0.1', '100.63.0.1', '100.128.0.1', '2001:db8::1']) assert.ok(!isPrivate(a), a)
})
