/** Several lines in one client: what each is made of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientConfig, linesOf } from '../../../src/client/config.ts'

const identity = (name: string) => ({ certificate: `${name}.pem`, key: `${name}.key`, anchors: ['ca.pem'] })

test('every line has its own identity and phones, and shares the rest; the page is the first one\'s', () => {
  const config = clientConfig.parse({
    server: { host: 'stc.example' }, identity: identity('desk'), upstream: 'server', phones: [{ line: 'desk' }],
    lines: Array.from({ length: 30 }, (_, i) => ({ identity: identity(`room${i}`), phones: [{ line: `room${i}`, address: '0.0.0.0', port: 5100 + 2 * i }] })),
  })
  const lines = linesOf(config)
  assert.equal(lines.length, 31)
  assert.deepEqual(lines[7]!.identity.certificate, 'room6.pem')
  assert.deepEqual(lines[7]!.phones.map((p) => [p.line, p.port]), [['room6', 5112]])
  assert.deepEqual([lines[7]!.server!.host, lines[7]!.upstream, lines[7]!.page, lines[7]!.lines], ['stc.example', 'server', false, []])
  assert.notEqual(lines[0].page, false)
  assert.equal(new Set(lines.map((l) => l.identity.certificate)).size, 31)
})
