/** How a roster says where keys are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unixTime } from '../../../src/base/brand.ts'
import { protectionText } from '../../../src/model/identity.ts'

test('what is proved and what somebody only says read differently', () => {
  const hash = '0123456789abcdef'.repeat(4)
  assert.equal(protectionText('in-process'), 'in process')
  assert.equal(protectionText('process', hash), "isolated process (says the member's client, program 0123456789abcdef)")
  assert.equal(protectionText('process'), "isolated process (says the member's client)")
  const proof = { proven: true, tee: 'sgx', measurement: 'fedcba98'.repeat(8), status: 'UpToDate', advisories: [], until: unixTime(1) } as const
  assert.equal(protectionText('enclave', hash, proof), 'SGX enclave (measurement fedcba98fedcba98)')
  assert.equal(protectionText('enclave', hash, { ...proof, status: 'SWHardeningNeeded' }), 'SGX enclave (measurement fedcba98fedcba98, platform SWHardeningNeeded)')
  assert.equal(protectionText('enclave', hash, { ...proof, tee: 'tdx' }), 'TDX domain (measurement fedcba98fedcba98)')
  assert.equal(protectionText('process', hash, { proven: false, code: 'X', reason: 'it shows no quote' }), "isolated process (says the member's client, program 0123456789abcdef); claims an enclave, not proven: it shows no quote")
  assert.equal(protectionText('enclave', hash), "isolated process (says the member's client, program 0123456789abcdef)", 'no proof, no enclave')
})
