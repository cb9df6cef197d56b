/** Vectors: draft-irtf-cfrg-cpace, ristretto255 with SHA-512, from the draft's testvectors.json (`G_Coffee25519`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex, utf8 } from '../../../../src/base/bytes.ts'
import { cpaceSecret, cpaceShare, generator, lengthValue, multiplyVerified } from '../../../../src/protocol/keyagreement/cpace.ts'
import { crypto } from '../../../kit/certificates.ts'

const base64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'))
const V = {
  password: base64('UGFzc3dvcmQ='), channel: base64('b2MLQl9yZXNwb25kZXILQV9pbml0aWF0b3I='), session: base64('fktHkdao7wGbk2x5+38sVw=='),
  g: base64('pvyCw7iWj7suBv7oHKhYWG3qUNJI8MfKahiwkCows2s='),
  ya: base64('2j0jcAqeVpkliu+U3AYN/aXrth8Cpep3+tU/T/CXbQg='), Ya: base64('1A+yZaer6u55OdkaWF/ln3BT+YLCluxBPGJMZpMI+Ho='),
  yb: base64('0jFrRUcYw1Ni2D1p32Mg84V47VmEZRQ14pSXYtkAuA0='), Yb: base64('CLz26Xd6nDE6PbbapRDy05hAMxnCNBvVBqkuZy634wc='),
  K: base64('4ise93iPZhR4883dTGAHdPwPQea3EVaRkP+I+g5gfgk='),
  ISK: base64('TFRpoWsjZMS5ROvBp55R0WdK1H2ybocYFU9Z+uv6pS2DRvMKpYN3EX6yDVJ/LLxcdjgff9Ny6J34I5+H8uAu0Q=='),
}

test('generator, shares, product and key of the draft', () => {
  assert.equal(toHex(generator(crypto, V).toBytes()), toHex(V.g))
  const [a, b] = [cpaceShare(crypto, V, V.ya), cpaceShare(crypto, V, V.yb)]
  assert.deepEqual([toHex(a.share), toHex(b.share)], [toHex(V.Ya), toHex(V.Yb)])
  assert.equal(toHex(multiplyVerified(V.ya, V.Yb)!), toHex(V.K))
  assert.equal(toHex(cpaceSecret(crypto, a, b.share, true, V.session, { own: utf8('ADa'), theirs: utf8('ADb') })!), toHex(V.ISK))
  assert.equal(toHex(cpaceSecret(crypto, b, a.share, false, V.session, { own: utf8('ADb'), theirs: utf8('ADa') })!), toHex(V.ISK))
})

test('products of the draft: valid, no element, the neutral element', () => {
  const s = base64('fNDgdfp5VbpSwCdZpskNu/wQ5tQK6o0oPkB9iM9TigU=')
  assert.equal(toHex(multiplyVerified(s, base64('LDxrjE84AOeu9oZAJbTteb1ZkRfkJ8Qb1H2T1lS0pRw='))!), toHex(base64('fBNkX+eQpGj2LDm+tziOVB2EBdGt5p0XeMX+Pn9rYA4=')))
  assert.equal(multiplyVerified(s, base64('KzxrjE84AOeu9oZAJbTteb1ZkRfkJ8Qb1H2T1lS0pRw=')), undefined)
  assert.equal(multiplyVerified(s, new Uint8Array(32)), undefined)
  assert.equal(multiplyVerified(s, new Uint8Array(31)), undefined)
})

test('the same password gives the same key, another one or another channel another', () => {
  const inputs = (password: string, channel = 'c') => ({ password: utf8(password), channel: utf8(channel) })
  const [a, b, c, d] = [inputs('sunshine'), inputs('sunshine'), inputs('moonshine'), inputs('sunshine', 'd')].map((i) => cpaceShare(crypto, i))
  const key = toHex(cpaceSecret(crypto, a!, b!.share, true)!)
  assert.equal(toHex(cpaceSecret(crypto, b!, a!.share, false)!), key)
  assert.notEqual(toHex(cpaceSecret(crypto, c!, a!.share, false)!), key)
  assert.notEqual(toHex(cpaceSecret(crypto, d!, a!.share, false)!), toHex(cpaceSecret(crypto, a!, d!.share, true)!))
})

test('parts of any length stand behind their length', () => {
  assert.equal(toHex(lengthValue(new Uint8Array(0), new Uint8Array(300).fill(1)).subarray(0, 4)), '00ac0201')
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (a, b) => {
    assert.equal(toHex(lengthValue(...a)) === toHex(lengthValue(...b)), JSON.stringify(a) === JSON.stringify(b))
  }))
})
