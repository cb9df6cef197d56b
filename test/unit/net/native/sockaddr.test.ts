import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Sockaddrs } from '../../../../src/net/native/sockaddr.ts'
import { systemCalls } from '../../../../src/net/native/system.ts'

const system = systemCalls()
const skip = system.ok ? false : system.fault.message

test('addresses survive the way to the system and back', { skip }, () => {
  assert.ok(system.ok)
  const four = new Sockaddrs(system.value, false)
  const six = new Sockaddrs(system.value, true)
  const back = (s: Sockaddrs, address: string): string | undefined => {
    const made = s.of({ address, port: 5060 })
    if (made === undefined) return undefined
    assert.equal(new DataView(made.words.buffer, made.words.byteOffset).getUint16(2), 5060)
    return s.text(made.words, 0)
  }
  fc.assert(fc.property(fc.ipV4(), (a) => {
    assert.equal(back(four, a), a)
    assert.equal(back(six, a), a)
  }))
  fc.assert(fc.property(fc.ipV6(), (a) => {
    const text = back(six, a)!
    assert.equal(back(six, text), text)
    assert.equal(new URL(`http://[${a}]`).hostname === `[${text}]` || a.includes('.') || text.includes('.'), true, `${a} became ${text}`)
    assert.equal(back(four, a), undefined)
  }))
  assert.equal(back(six, 'fe80::1%7'), 'fe80::1%7')
})
