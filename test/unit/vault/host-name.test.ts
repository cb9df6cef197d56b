import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostMatches } from '../../../src/vault/inside/tls-pipe.ts'

test('names of servers (RFC 9525 §6.3)', () => {
  for (const [presented, wanted, fits] of [
    ['sip.example.org', 'sip.example.org', true],
    ['*.example.org', 'sip.example.org', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['2001:db8::1', '2001:db8::1', true],
    ['example.org', 'sip.example.org', false],
    ['*.example.org', 'example.org', false],
    ['*.example.org', 'a.b.example.org', false],
    ['*.org', 'example.org', false],
    ['s*.example.org', 'sip.example.org', false],
    ['*', 'sip', false],
    ['*.0.2.1', '192.0.2.1', false],
  ] as const) assert.equal(hostMatches(presented, wanted), fits, `${presented} for ${wanted}`)
})
