import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simHandset } from '../../kit/sip-phone.ts'

test('an emergency call by name (RFC 5031) gets 503 at once, from anywhere, whatever else is wrong with it', () => {
  for (const address of ['127.0.0.1', '192.0.2.9']) {
    const s = simHandset()
    const phone = s.phone({ address })
    phone.invite({ uri: 'urn:service:sos.police', body: 'nonsense' })
    s.clock.advanceSync(10)
    assert.equal(phone.last.status, 503)
    assert.deepEqual(s.dials(), [])
  }
})

test('so does an emergency number: no password, no offer and no limit stands in its way', () => {
  for (const address of ['127.0.0.1', '192.0.2.9']) {
    const s = simHandset({ isEmergency: (number) => number === '112' })
    const phone = s.phone({ address })
    phone.invite({ uri: 'sip:112@192.0.2.1', body: 'nonsense' })
    s.clock.advanceSync(10)
    assert.equal(phone.last.status, 503)
    assert.deepEqual(s.dials(), [])
    phone.invite({ uri: 'sip:113@192.0.2.1', body: 'nonsense' })
    s.clock.advanceSync(10)
    assert.notEqual(phone.last.status, 503)
  }
})
