/**
 * Clients as the outbound proxies of phones that have accounts at a SIP server, over UDP, TCP and TLS, found by its name: no server of ours anywhere.
 * The first place that its name leads to is a machine without service. One client has accounts at a second provider too.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { startKamailio } from '../kit/kamailio.ts'
import { freePorts } from '../kit/free-ports.ts'
import { nameServer } from '../kit/name-server.ts'
import { until } from '../kit/processes.ts'
import { hears } from '../kit/hears.ts'
import { TestAuthority } from '../kit/stc.ts'
import { needs, needsAsterisk, skip } from './setup.ts'

const names = ['anna', 'bert', 'dora', 'carl']
const config = () => ({ 'pjsip.conf': names.map((n) => endpoint(n)).join('\n'), 'extensions.conf': `[phones]\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)\n` })
const DOMAIN = 'provider.test'
const SECOND = 'second.test'
const at = (extension: string, a: { address: string; port: number }): string => `sip:${extension}@${a.address}:${a.port}`

test('clients over UDP, TCP and TLS and a plain phone call each other through a provider', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'kamailio', 'rtpengine') || !needsAsterisk(t)) return
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) {
    skip(t, 'this user may not give a process another name server')
    return
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-provider-tls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const papers = new TestAuthority(folder, 'provider').server(DOMAIN)
  const asterisk = await startAsterisk({ config, tls: papers })
  t.after(() => asterisk.stop())
  const kamailio = await startKamailio()
  t.after(() => kamailio.stop())
  const w = behindProvider(t, asterisk)
  const { inside, asked, dead } = await named(t, folder, asterisk)
  // Plain calls: two clients that seal would change the sound, and say so by a tone.
  const second = { host: kamailio.address, port: kamailio.sip, transport: 'tcp', domains: [SECOND], listen: { address: kamailio.address } }
  const by = (name: string, ...ways: readonly Readonly<Record<string, unknown>>[]) => w.client(name, { sealedCalls: { policy: 'off' }, upstream: { providers: ways } }, { inside })
  const first = { host: DOMAIN, listen: { address: asterisk.address } }
  const [a, b, d] = await Promise.all([by('anna', { ...first, transport: 'udp' }, second), by('bert', { ...first, transport: 'tcp' }), by('dora', { ...first, transport: 'tls', anchors: papers.anchors })])
  const [anna, bert, dora, carl, hugo, ina] = await Promise.all([
    w.phone('anna', 700, a.sip), w.phone('bert', 1100, b.sip), w.phone('dora', 900, d.sip), w.phone('carl', 500, { address: asterisk.address, port: asterisk.sip }),
    w.phone('hugo', 1300, a.sip, { registrar: { ...a.sip, password: 'secret-hugo', domain: SECOND } }), w.phone('ina', 1500, { address: kamailio.address, port: kamailio.sip }),
  ])
  assert.deepEqual([...asked].sort(), ['_sip._tcp', '_sip._udp', '_sips._tcp'])
  assert.ok(dead.datagrams > 0 && dead.connections >= 2, 'the most wanted place was tried first')
  const contacts = await asterisk.cli('database show registrar')
  for (const [name, transport] of [['anna', 'udp'], ['bert', 'tcp'], ['dora', 'tls']] as const) {
    const uri = new RegExp(`registrar/contact/${name};@[0-9a-f]+ *: .*"uri":"([^"]+)"`).exec(contacts)?.[1] ?? contacts
    assert.match(uri, /^sips?:stc[0-9a-f]{24}@127\.0\.0\.1:/)
    assert.equal(/;transport=([a-z]+)/i.exec(uri)?.[1]?.toLowerCase() ?? 'udp', transport)
  }

  anna.dial(at('bert', a.sip))
  carl.dial(asterisk.uri('dora'))
  await Promise.all([anna, bert, carl, dora].map((p) => p.events.next('established')))
  await Promise.all([hears(anna, 1100, { settle: 1.3 }), hears(bert, 700, { settle: 1.3 }), hears(carl, 900, { settle: 1.3 }), hears(dora, 500, { settle: 1.3 })])
  bert.hangup()
  carl.hangup()
  await Promise.all([anna, bert, carl, dora].map((p) => p.events.next('closed')))

  for (const p of [hugo, ina]) p.events.skip()
  hugo.dial(`sip:ina@${SECOND}`)
  dora.dial(at('anna', d.sip))
  bert.dial(at('carl', b.sip))
  await Promise.all([anna, bert, carl, dora, hugo, ina].map((p) => p.events.next('established')))
  await Promise.all([hears(hugo, 1500, { settle: 1.3 }), hears(ina, 1300, { settle: 1.3 }), hears(anna, 900, { settle: 1.3 }), hears(dora, 700, { settle: 1.3 }), hears(carl, 1100, { settle: 1.3 }), hears(bert, 500, { settle: 1.3 })])
  anna.hangup()
  carl.hangup()
  await Promise.all([anna, bert, carl, dora].map((p) => p.events.next('closed')))
  ina.hangup()
  await hugo.events.next('closed')
  assert.match(kamailio.log(), /registers hugo at <sip:stc[0-9a-f]{24}@127\.0\.0\.1:\d+;transport=tcp>/i)
  assert.doesNotMatch(asterisk.log(), /hugo/)
  await until(10_000, 'Asterisk without a leg', async () => /0 active channels/.test(await asterisk.cli('core show channels count')) || undefined, undefined, 200)
})

/** The domain's own name server, and how a process comes to ask it: a resolv.conf that nobody else sees. The most wanted place takes all and says nothing. */
async function named(t: TestContext, folder: string, asterisk: { readonly address: string; readonly sip: number; readonly tls: number }) {
  const dead = { datagrams: 0, connections: 0 }
  const port = await freePorts(1)
  const [udp, tcp] = [createSocket('udp4'), createServer((socket) => {
    dead.connections++
    socket.destroy()
  })]
  udp.on('message', () => void dead.datagrams++)
  await Promise.all([once(udp.bind(port, '127.0.0.1'), 'listening'), once(tcp.listen(port, '127.0.0.1'), 'listening')])
  t.after(() => [udp, tcp].forEach((s) => void s.close()))
  const service = (live: number) => [{ priority: 20, weight: 0, port: live, target: `b.${DOMAIN}` }, { priority: 10, weight: 0, port, target: `a.${DOMAIN}` }]
  const asked = new Set<string>()
  // Its port is the one of name servers: on an address of its own, nobody else is there.
  const address = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`
  await nameServer(t, {
    [`_sip._udp.${DOMAIN}`]: service(asterisk.sip), [`_sip._tcp.${DOMAIN}`]: service(asterisk.sip), [`_sips._tcp.${DOMAIN}`]: service(asterisk.tls), [`a.${DOMAIN}`]: '127.0.0.1', [`b.${DOMAIN}`]: asterisk.address,
  }, { address, port: 53, asked: (name) => name.startsWith('_') && asked.add(name.split('.', 2).join('.')) })
  const file = path.join(folder, 'resolv.conf')
  writeFileSync(file, `nameserver ${address}\n`)
  return { inside: ['unshare', '--mount', 'sh', '-c', 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"', 'sh', file], asked, dead }
}
