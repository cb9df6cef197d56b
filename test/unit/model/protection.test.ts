/** How a roster says where keys are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protectionText } from '../../../src/model/identity.ts'

test('what is proved and what somebody only says read differently', () => {
  const hash = '0123456789abcdef'.repeat(4)
  assert.equal(protectionText('in-process'), 'in process')
  assert.equal(protectionText('process', hash), "isolated process (says the member's client, program 0123456789abcdef)")
  assert.equal(protectionText('process'), "isolated process (says the member's client)")
  assert.equal(protectionText('enclave', hash), 'SGX enclave (measurement 0123456789abcdef)')
})
