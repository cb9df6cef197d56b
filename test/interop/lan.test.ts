/**
 * Phones that are not on loopback: passwords, TLS, SRTP. In a network namespace of its own, where an
 * address for documentation (RFC 5737) plays the LAN; nothing leaves the machine.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs, skip } from './setup.ts'

const inside = fileURLToPath(new URL('./lan/handset.ts', import.meta.url))
const prepare = 'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$@"'

test('phones on a LAN', { timeout: 240_000 }, (t) => {
  if (!needs(t, 'ip', 'baresip', 'linphonec', 'sipp')) return
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) {
    skip(t, 'this user may not make a network namespace')
    return
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const done = spawnSync('unshare', ['-n', 'sh', '-c', prepare, 'sh', process.execPath, '--test', '--test-force-exit', '--test-reporter=spec', inside], { env, encoding: 'utf8', timeout: 220_000 })
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`)
  assert.match(done.stdout, /^ℹ fail 0$/m)
  assert.match(done.stdout, /^ℹ pass [1-9]/m)
})
