/** A real DCAP quote of version 3 with its collateral, from a production platform (../shared/vectors/sgx). */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Der, unixTime } from '../../src/base/brand.ts'
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import type { Collateral } from '../../src/protocol/sgx/collateral.ts'
import { parseQuote } from '../../src/protocol/sgx/quote.ts'
import { type AttestationPolicy, verifyQuote } from '../../src/protocol/sgx/verify.ts'
import { crypto } from '../kit/certificates.ts'

const folder = new URL('../../../shared/vectors/sgx/', import.meta.url)
const absent = existsSync(folder) ? false : 'the vectors are not beside the checkout (../shared/vectors/sgx)'
const NOW = unixTime(Date.UTC(2025, 5, 25) / 1000)
const MEASUREMENT = '33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb'
const hello = new Uint8Array(64)
hello.set(utf8('Hello, world!'))
const policy: AttestationPolicy = { measurements: [MEASUREMENT], statuses: ['UpToDate', 'ConfigurationAndSWHardeningNeeded'], reportData: hello }

function vector(): { quote: Uint8Array; collateral: Collateral } {
  const c = JSON.parse(readFileSync(new URL('sgx_quote_collateral.json', folder), 'utf8')) as Record<string, string>
  return {
    quote: Uint8Array.from(readFileSync(new URL('sgx_quote', folder))),
    collateral: {
      rootCrl: fromHex(c['root_ca_crl']!)! as Der, pckCrl: fromHex(c['pck_crl']!)! as Der,
      tcbInfoChain: c['tcb_info_issuer_chain']!, tcbInfo: c['tcb_info']!, tcbInfoSignature: fromHex(c['tcb_info_signature']!)!,
      qeIdentityChain: c['qe_identity_issuer_chain']!, qeIdentity: c['qe_identity']!, qeIdentitySignature: fromHex(c['qe_identity_signature']!)!,
    },
  }
}

test('is verified up to Intel\'s pinned root, with its status and advisories', { skip: absent }, () => {
  const { quote, collateral } = vector()
  const got = must(verifyQuote(crypto, quote, collateral, policy, NOW))
  assert.deepEqual({ ...got, validUntil: undefined }, {
    tee: 'sgx', measurement: MEASUREMENT, signer: '815f42f11cf64430c30bab7816ba596a1da0130c3b028b673133a66cf9a3e0e6', productId: 0, svn: 0,
    status: 'ConfigurationAndSWHardeningNeeded', advisories: ['INTEL-SA-00289', 'INTEL-SA-00615'], validUntil: undefined,
  })
  assert.equal(got.validUntil, Date.UTC(2025, 6, 19, 10, 1, 18) / 1000)
})

test('is refused where the policy wants more, and at another time', { skip: absent }, () => {
  const { quote, collateral } = vector()
  const code = (p: Partial<AttestationPolicy>, now = NOW): string => {
    const r = verifyQuote(crypto, quote, collateral, { ...policy, ...p }, now)
    return r.ok ? 'taken' : r.fault.code
  }
  assert.equal(code({}), 'taken')
  assert.equal(code({ statuses: ['UpToDate'] }), 'ATTESTATION_TCB')
  assert.equal(code({ measurements: [MEASUREMENT.replace('3', '4')] }), 'ATTESTATION_MEASUREMENT')
  assert.equal(code({ reportData: new Uint8Array(64) }), 'ATTESTATION_REPORT_DATA')
  assert.equal(code({}, unixTime(NOW - 30 * 86_400)), 'ATTESTATION_COLLATERAL_STALE')
  assert.equal(code({}, unixTime(NOW + 30 * 86_400)), 'ATTESTATION_COLLATERAL_STALE')
})

/** A signature that was checked is not checked again: the collateral's are the same every time. */
function remembering(port: CryptoPort): CryptoPort {
  const known = new Map<string, boolean>()
  return {
    ...port,
    verify(algorithm, spki, message, signature) {
      const name = [algorithm, ...[spki, message, signature].map((x) => toHex(port.hash('sha256', x)))].join()
      const before = known.get(name)
      if (before !== undefined) return before
      const good = port.verify(algorithm, spki, message, signature)
      known.set(name, good)
      return good
    },
  }
}

test('any octet changed: refused', { skip: absent }, () => {
  const { quote, collateral } = vector()
  const checking = remembering(crypto)
  const end = 48 + 384 + 4 + must(parseQuote(quote)).pckChain.length
  assert.ok(end < quote.length)
  // Every octet of header, body, signatures and keys; of the certificates one in each hundred.
  const places = [...Array(1100).keys(), ...Array.from({ length: Math.floor((quote.length - 1100) / 100) }, (_, i) => 1100 + 100 * i)]
  for (const at of places) {
    const changed = quote.slice()
    changed[at]! ^= 1
    const r = verifyQuote(checking, changed, collateral, policy, NOW)
    assert.ok(!r.ok, `octet ${at} (${toHex(quote.subarray(at, at + 1))})`)
  }
})
