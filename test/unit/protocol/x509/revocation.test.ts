import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Der } from '../../../../src/base/brand.ts'
import { fromHex } from '../../../../src/base/bytes.ts'
import type { FaultCode } from '../../../../src/base/faults/index.ts'
import { must } from '../../../../src/base/result.ts'
import type { Signer } from '../../../../src/crypto/port.ts'
import { createSubordinate, issueRevocationList } from '../../../../src/pki/authority.ts'
import { authorityKeyId, basicConstraints, extension, keyUsage, type RevocationListFields, signRevocationList } from '../../../../src/pki/certificate.ts'
import { element, octetString, sequence } from '../../../../src/pki/der.ts'
import type { RevocationProof } from '../../../../src/model/trust.ts'
import { parseRevocationList } from '../../../../src/protocol/x509/crl.ts'
import { KEY_USAGE } from '../../../../src/protocol/x509/extensions.ts'
import { makeAnchors, verifyPath } from '../../../../src/protocol/x509/path.ts'
import { anchorsOf, crypto, DAY_S, forge, issue, later, newSigner, NOW, testCa } from '../../../kit/certificates.ts'

const ca = testCa()
const person = issue(ca)
const proof = (der: Der): RevocationProof => ({ kind: 'crl', der })
const list = (fields: Partial<RevocationListFields> = {}, signer: Signer = ca.signer): Der =>
  signRevocationList(signer, { issuer: ca.subject, thisUpdate: later(-60), nextUpdate: later(60), revoked: [], extensions: [authorityKeyId(ca.keyId)], ...fields })
const entry = { serial: fromHex(person.serial)!, when: later(-30) }
const verify = (...lists: Der[]) => verifyPath(crypto, person.chain, anchorsOf(ca), lists.map(proof), NOW)
const refused = (r: ReturnType<typeof verify>, code: FaultCode) => {
  assert.ok(!r.ok, 'accepted')
  assert.equal(r.fault.code, code, r.fault.message)
}

test('a revoked certificate is refused, with the date; others pass', () => {
  const revoked = verify(list({ revoked: [entry] }))
  refused(revoked, 'IDENTITY_REVOKED')
  assert.match(!revoked.ok ? revoked.fault.message : '', /"Ann Example" on 2026-11-21 11:59:30 UTC/)
  assert.ok(verify(list({ revoked: [{ ...entry, serial: Uint8Array.of(1) }] })).ok)
  assert.ok(verify().ok)
})

test('a revoked authority between', () => {
  const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
  const serial = must(makeAnchors([middle.certificate])).certificates[0]!.serial
  refused(verifyPath(crypto, issue(middle).chain, anchorsOf(ca), [proof(issueRevocationList(ca, [{ serial, when: NOW }], 1, NOW))], NOW), 'IDENTITY_REVOKED')
})

test('lists that cannot be used fail, unless a usable one stands beside', () => {
  const bad: [Der, FaultCode][] = [
    [list({ nextUpdate: later(-1) }), 'IDENTITY_REVOCATION_STALE'], [list({ thisUpdate: later(1) }), 'IDENTITY_REVOCATION_STALE'],
    [list({ extensions: [extension('2.5.29.27', octetString(Uint8Array.of(1)), true)] }), 'IDENTITY_REVOCATION_UNSUPPORTED'],
  ]
  for (const [der, code] of bad) {
    refused(verify(der), code)
    assert.ok(verify(der, list()).ok)
    assert.ok(verify(list(), der).ok)
  }
  refused(verify(list({ revoked: [entry], nextUpdate: later(-1) }), list()), 'IDENTITY_REVOKED')
  const forged = list({ revoked: [entry] }, newSigner())
  assert.ok(verify(forged, list()).ok, 'a forged list revokes nothing')
  assert.ok(verify(forged).ok, 'and is as if it were not there')
  refused(verifyPath(crypto, person.chain, anchorsOf(ca), [proof(forged)], NOW, 'member', 'required'), 'IDENTITY_REVOCATION_BAD_SIGNATURE')
})

test('lists of others say nothing', () => {
  const twin = testCa()
  assert.ok(verify(issueRevocationList(testCa({ name: 'Other' }), [{ serial: person.serial, when: NOW }], 1, NOW)).ok)
  assert.ok(verify(issueRevocationList(twin, [{ serial: person.serial, when: NOW }], 1, NOW)).ok)
  assert.ok(!verify(list({ nextUpdate: later(-DAY_S) })).ok)
})

test('an authority that may not sign lists', () => {
  const signer = newSigner()
  const top = forge(ca, { subject: ca.subject, spki: signer.spki, extensions: [basicConstraints(true), keyUsage(KEY_USAGE.keyCertSign)] })
  refused(verifyPath(crypto, [forge(ca, {}, signer)], must(makeAnchors([top])), [proof(list({ extensions: [] }, signer))], NOW), 'IDENTITY_AUTHORITY_MAY_NOT_SIGN')
})

test('reasons: removeFromCRL lifts, unknown critical entry extensions make a list unusable', () => {
  const withEntry = (...entryExtensions: Uint8Array[]): Der => {
    const signed = list({ revoked: [entry] })
    const body = must(parseRevocationList(signed))
    assert.equal(body.revoked.size, 1)
    return reSign(entryExtensions)
  }
  const lifted = withEntry(extension('2.5.29.21', element(0x0a, Uint8Array.of(8))))
  assert.ok(verify(lifted).ok)
  refused(verify(withEntry(extension('2.5.29.21', element(0x0a, Uint8Array.of(1))))), 'IDENTITY_REVOKED')
  refused(verify(withEntry(extension('2.5.29.29', octetString(Uint8Array.of(1)), true))), 'IDENTITY_REVOCATION_UNSUPPORTED')
})

/** The list with one entry that has these extensions. */
function reSign(entryExtensions: readonly Uint8Array[]): Der {
  // `time` of the entry is encoded by the list writer; here the entry is composed around it.
  const plain = must(parseRevocationList(list({ revoked: [entry] })))
  const serialAndTime = plain.tbs
  const serial = element(0x02, entry.serial[0]! >= 0x80 ? Uint8Array.of(0, ...entry.serial) : entry.serial)
  const at = Buffer.from(serialAndTime).indexOf(Buffer.from(serial))
  const time = serialAndTime.subarray(at + serial.length, at + serial.length + 15)
  const whole = sequence(serial, time, sequence(...entryExtensions))
  const old = sequence(serial, time)
  const start = Buffer.from(serialAndTime).indexOf(Buffer.from(sequence(old)))
  const headerLength = serialAndTime[1]! < 0x80 ? 2 : 2 + (serialAndTime[1]! & 0x7f)
  const tbs = sequence(serialAndTime.subarray(headerLength, start), sequence(whole), serialAndTime.subarray(start + old.length + 2))
  return sequence(tbs, plain.signatureAlgorithm.der, element(0x03, Uint8Array.of(0), ca.signer.sign(tbs)))
}

test('malformed lists', () => {
  for (const der of [list().subarray(1), Uint8Array.of(), list().subarray(0, -1), new Uint8Array(5 * 1024 * 1024)]) {
    const r = parseRevocationList(der)
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_REVOCATION_MALFORMED')
  }
  refused(verify(Uint8Array.of(1) as Der), 'IDENTITY_REVOCATION_MALFORMED')
  refused(verify(...Array.from({ length: 65 }, () => list())), 'IDENTITY_REVOCATION_UNSUPPORTED')
})
