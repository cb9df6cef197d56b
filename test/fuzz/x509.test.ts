/** Damaged and random octets for every decoder of identities: a fault or a value, never an exception, in bounded time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Der } from '../../src/base/brand.ts'
import { concat } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { createSubordinate, issueRevocationList } from '../../src/pki/authority.ts'
import { alternativeNames, directoryName, dnsName, emailName, extension, ipName } from '../../src/pki/certificate.ts'
import { element, octetString, oid, sequence, set } from '../../src/pki/der.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { decodeCredential, encodeCredential, verifyCredential } from '../../src/protocol/x509/credential.ts'
import { parseRevocationList } from '../../src/protocol/x509/crl.ts'
import { decodeDelegation, encodeDelegation, issueDelegation } from '../../src/protocol/x509/delegation.ts'
import { DerReader, TAG } from '../../src/protocol/x509/der.ts'
import { parseOcspResponse } from '../../src/protocol/x509/ocsp.ts'
import { makeAnchors, verifyPath } from '../../src/protocol/x509/path.ts'
import { decodePem } from '../../src/protocol/x509/pem.ts'
import { anchorsOf, crypto, forge, issue, NOW, testCa } from '../kit/certificates.ts'
import { fuzz } from '../kit/fuzz.ts'
import { ocspResponse } from '../kit/ocsp.ts'

const BUDGET_MS = 1200
const ca = testCa({ constraints: { permitted: [emailName('example.org'), directoryName(sequence())], excluded: [dnsName('example.com'), ipName(new Uint8Array(8))] } })
const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
const person = issue(middle, { organisation: 'Example', emails: ['ann@example.org'] })
const anchors = anchorsOf(ca)
const oddNames = sequence(...([TAG.utf8String, TAG.bmpString, TAG.t61String, TAG.universalString, TAG.integer] as const).map((tag) => set(sequence(oid('2.5.4.3'), element(tag, Uint8Array.of(0, 0, 0, 65))))))
const odd = forge(ca, { subject: oddNames, extensions: [alternativeNames(emailName('a@example.org'), ipName(new Uint8Array(16)), directoryName(oddNames)), extension('1.2.3', octetString(new Uint8Array(9)))] })
const list = issueRevocationList(ca, [{ serial: '01', when: NOW }, { serial: person.serial, when: NOW }], 3, NOW)
const answer = ocspResponse(middle.signer, { subject: must(parseCertificate(person.chain[0]!)), issuer: must(parseCertificate(middle.certificate)) })
const lent = crypto.signatureKeyPair('ed25519').publicKey
using signer = crypto.signer('ecdsa-p256-sha256', person.pkcs8)
const use = { purpose: 'conference', realm: 'example.org', suite: 1, signaturePublicKey: lent, now: NOW } as const
const delegation = must(issueDelegation(signer, person.chain[0]!, { ...use, kind: 'member', keyProtection: 'process' }))
const credential = must(encodeCredential(person.chain, delegation))
const quoted = must(encodeCredential(person.chain, delegation, undefined, new Uint8Array(300).fill(5)))

/** One to four changes: an octet set, a bit flipped, octets taken out, doubled, or the end cut. */
const mutation = fc.array(fc.record({ at: fc.nat(), how: fc.constantFrom('set', 'flip', 'drop', 'double', 'cut'), value: fc.nat(255), length: fc.integer({ min: 1, max: 16 }) }), { minLength: 1, maxLength: 4 })
type Change = ReturnType<typeof mutation.generate>['value'][number]

function mutate(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  return changes.reduce((b, { at, how, value, length }) => {
    if (b.length === 0) return b
    const i = at % b.length
    switch (how) {
      case 'set': return b.with(i, value)
      case 'flip': return b.with(i, b[i]! ^ (1 << (value % 8)))
      case 'drop': return concat(b.subarray(0, i), b.subarray(i + length))
      case 'double': return concat(b.subarray(0, i + length), b.subarray(i))
      default: return b.slice(0, i)
    }
  }, bytes)
}

/** Runs `decode` on damaged samples and on noise, as often as the budget allows. */
function hammer(samples: readonly Uint8Array[], decode: (bytes: Uint8Array) => void): void {
  const damaged = fc.tuple(fc.constantFrom(...samples), mutation).map(([sample, changes]) => mutate(sample, changes))
  const noise = fc.uint8Array({ maxLength: 200 })
  fuzz(fc.property(fc.oneof({ weight: 9, arbitrary: damaged }, { weight: 1, arbitrary: noise }), decode), { numRuns: 4000, interruptAfterTimeLimit: BUDGET_MS })
}

test('DER elements', () => hammer([person.chain[0]!, list], (bytes) => {
  const walk = (r: DerReader, depth: number): void => {
    while (r.more) {
      const { tag, body, whole } = r.any()
      assert.ok(body.length <= whole.length && whole.length <= bytes.length)
      if ((tag & 0x20) !== 0 && depth < 20) walk(new DerReader(body), depth + 1)
    }
  }
  walk(new DerReader(bytes), 0)
}))

test('certificates', () => hammer([...person.chain, ca.certificate, odd], (bytes) => {
  const parsed = parseCertificate(bytes)
  if (parsed.ok) assert.deepEqual(parsed.value.der, bytes)
  else assert.ok(parsed.fault.message.length < 400)
}))

test('certificates as anchors and in paths', () => hammer([...person.chain, ca.certificate, odd], (bytes) => {
  const asAnchor = makeAnchors([bytes])
  if (asAnchor.ok) verifyPath(crypto, person.chain, asAnchor.value, [], NOW)
  const asLeaf = verifyPath(crypto, [bytes as Der, ...person.chain.slice(1)], anchors, [], NOW)
  // A double of octets may restore the original; anything else must not pass.
  if (asLeaf.ok) assert.deepEqual(bytes, person.chain[0])
}))

test('revocation lists', () => hammer([list], (bytes) => {
  const parsed = parseRevocationList(bytes)
  if (!parsed.ok) assert.equal(parsed.fault.code, 'IDENTITY_REVOCATION_MALFORMED')
}))

test('OCSP responses', () => hammer([answer], (bytes) => {
  const parsed = parseOcspResponse(bytes)
  if (!parsed.ok) return assert.match(parsed.fault.code, /^IDENTITY_OCSP_(MALFORMED|REFUSED)$/)
  const judged = verifyPath(crypto, person.chain, anchors, [{ kind: 'ocsp', der: bytes as Der }, { kind: 'crl', der: list }], NOW, 'member', 'required')
  // A double of octets may restore the original. (Enclosed certificates that nobody needs stand outside the signature.)
  if (judged.ok) assert.deepEqual(bytes, answer)
}))

test('delegations: only the one encoding decodes', () => hammer([delegation.body], (bytes) => {
  const d = decodeDelegation(bytes)
  if (d !== undefined) assert.deepEqual(encodeDelegation(d), bytes)
}))

test('credentials: only the one encoding decodes, and nothing damaged passes', () => hammer([credential, quoted], (bytes) => {
  const decoded = decodeCredential(bytes)
  if (!decoded.ok) return
  const { chain, delegation: lentBy, revocation, quote } = decoded.value
  assert.deepEqual(must(encodeCredential(chain, lentBy, revocation, quote)), bytes)
  // The quote is outside the signature: the leaf of the group signs it.
  if (verifyCredential(crypto, bytes, { ...use, anchors }).ok) assert.deepEqual(must(encodeCredential(chain, lentBy, revocation)), credential)
}))

test('PEM', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom('-----BEGIN A-----', '-----END A-----', '-----', 'BEGIN ', '\n', 'AAAA', '=', ' ', 'A'), { maxLength: 200 }), (parts) => {
    for (const { text } of decodePem(parts.join(''))) assert.ok(text.startsWith('-----BEGIN'))
  }), { numRuns: 500 })
  // Many beginnings without an end must not take quadratic time to no end.
  const start = '-----BEGIN A-----\n'.repeat(20000)
  assert.deepEqual(decodePem(start), [])
})

test('delegations: any values there and back', () => {
  fc.assert(fc.property(
    fc.constantFrom('conference', 'call'), fc.string({ minLength: 1, maxLength: 60 }), fc.nat(2 ** 31), fc.nat(2 ** 31), fc.nat(65535), fc.uint8Array({ minLength: 1, maxLength: 100 }),
    fc.constantFrom('member', 'gateway'), fc.constantFrom('in-process', 'process', 'enclave'), fc.constantFrom('ed25519', 'ecdsa-p384-sha384', 'rsa-pss-sha512'), fc.constantFrom({}, { measurement: '0a'.repeat(32) }),
    (purpose, realm, from, life, suite, signaturePublicKey, kind, keyProtection, algorithm, measured) => {
      const d = { purpose, realm, notBefore: from, notAfter: from + life, suite, signaturePublicKey, kind, keyProtection, algorithm, ...measured } as Parameters<typeof encodeDelegation>[0]
      assert.deepEqual(decodeDelegation(encodeDelegation(d)), d)
    },
  ))
})
