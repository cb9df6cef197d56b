/**
 * Phones that are not on loopback: passwords, TLS, SRTP. In a network namespace of its own, where an
 * address for documentation (RFC 5737) plays the LAN; nothing leaves the machine.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs, needsAsterisk, skip, type Tool } from './setup.ts'

const inside = (file: string): string => fileURLToPath(new URL(`./lan/${file}`, import.meta.url))
/** A phone's network behind one NAT, a server's behind another (lan/nat.ts). */
const nat = [
  'ip link set lo up', ...['10.9.0.2', '10.8.0.1', '203.0.113.77'].map((a) => `ip address add ${a}/32 dev lo`), // linphonec takes a machine without a default route for one without a network.
  'ip route add default dev lo src 10.9.0.2',
  'iptables -t nat -A OUTPUT -d 198.51.100.1 -j DNAT --to-destination 10.8.0.1',
  ...['tcp', 'udp'].map((p) => `iptables -t nat -A POSTROUTING -s 10.9.0.2 -d 10.8.0.1 -p ${p} -j SNAT --to-source 203.0.113.77:30000-39999 --random`),
].join(' && ')
/** A client's network behind a NAT that forgets a way after forty seconds, its provider's behind another (lan/provider-nat.ts). Nothing comes in but what answers. */
const clientNat = [
  nat, 'iptables -A OUTPUT -s 10.8.0.1 -d 10.9.0.2 -m conntrack --ctstate NEW -j DROP', ...['', '_stream'].map((s) => `echo 40 > /proc/sys/net/netfilter/nf_conntrack_udp_timeout${s}`),
].join(' && ')

function run(t: TestContext, file: string, prepare: string, ...needed: readonly Tool[]): void {
  if (!needs(t, 'ip', 'baresip', 'linphonec', ...needed)) return
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) {
    skip(t, 'this user may not make a network namespace')
    return
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const done = spawnSync('unshare', ['-n', 'sh', '-c', `${prepare} && exec "$@"`, 'sh', process.execPath, '--test', '--test-force-exit', '--test-reporter=spec', inside(file)], { env, encoding: 'utf8', timeout: 600_000 })
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`)
  assert.match(done.stdout, /^ℹ fail 0$/m)
  assert.match(done.stdout, /^ℹ pass [1-9]/m)
}

test('phones on a LAN', { timeout: 600_000 }, (t) => run(t, 'handset.ts', 'ip link set lo up && ip address add 192.0.2.1/32 dev lo', 'sipp'))

test('phones that come by themselves, behind a NAT, to a server behind a NAT', { timeout: 600_000 }, (t) => {
  if (needsAsterisk(t)) run(t, 'nat.ts', nat, 'iptables')
})

test('a client behind a NAT, at a provider', { timeout: 600_000 }, (t) => {
  if (needsAsterisk(t)) run(t, 'provider-nat.ts', clientNat, 'iptables')
})
