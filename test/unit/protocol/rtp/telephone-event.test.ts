import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTelephoneEvent, digitOf, encodeTelephoneEvent, eventOfDigit, TelephoneEventReceiver } from '../../../../src/protocol/rtp/telephone-event.ts'

test('what was encoded is decoded again', () => {
  fc.assert(fc.property(fc.record({ event: fc.nat(255), end: fc.boolean(), volume: fc.nat(63), duration: fc.nat(0xffff) }), (e) => {
    assert.deepEqual(decodeTelephoneEvent(encodeTelephoneEvent(e)), { ok: true, value: { ...e } })
  }))
})

test('other lengths are refused', () => {
  for (const n of [0, 3, 5, 8]) assert.ok(!decodeTelephoneEvent(new Uint8Array(n)).ok)
})

test('digits and events', () => {
  for (const d of '0123456789*#ABCD') assert.equal(digitOf({ event: eventOfDigit(d)!, end: false, volume: 0, duration: 0 }), d)
  assert.equal(eventOfDigit('a'), 12)
  assert.equal(eventOfDigit('x'), undefined)
  assert.equal(eventOfDigit(''), undefined)
  assert.equal(digitOf({ event: 16, end: false, volume: 0, duration: 0 }), undefined)
})

test('a press is reported once, whatever is lost, doubled or overtaken', () => {
  const receiver = new TelephoneEventReceiver()
  const heard: string[] = []
  const packet = (timestamp: number, digit: string, end: boolean): void => {
    const d = receiver.receive(timestamp, { event: eventOfDigit(digit)!, end, volume: 10, duration: 160 })
    if (d !== undefined) heard.push(d)
  }
  for (const end of [false, false, true, true, true]) packet(1000, '5', end)
  packet(3000, '5', false)
  packet(1000, '5', true) // Late copy of the first press.
  packet(5000, '#', true) // Only the end arrived.
  packet(100, '1', false) // The phone started its timestamps anew.
  assert.deepEqual(heard, ['5', '5', '#', '1'])
})
