/** Clients as the outbound proxies of phones that have accounts at a SIP server, over UDP, TCP and TLS: no server of ours anywhere. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { until } from '../kit/processes.ts'
import { hears } from '../kit/hears.ts'
import { TestAuthority } from '../kit/stc.ts'
import { needs, needsAsterisk } from './setup.ts'

const names = ['anna', 'bert', 'dora', 'carl']
const config = () => ({ 'pjsip.conf': names.map((n) => endpoint(n)).join('\n'), 'extensions.conf': `[phones]\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)\n` })
const at = (extension: string, a: { address: string; port: number }): string => `sip:${extension}@${a.address}:${a.port}`

test('clients over UDP, TCP and TLS and a plain phone call each other through a provider', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-provider-tls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const papers = new TestAuthority(folder, 'provider').server()
  const asterisk = await startAsterisk({ config, tls: papers })
  t.after(() => asterisk.stop())
  const w = behindProvider(t, asterisk)
  // Plain calls: two clients that seal would change the sound, and say so by a tone.
  const by = (name: string, way: Readonly<Record<string, unknown>>) => w.client(name, { sealedCalls: { policy: 'off' }, upstream: { providers: [{ host: asterisk.address, listen: { address: asterisk.address }, ...way }] } })
  const [a, b, d] = await Promise.all([
    by('anna', { transport: 'udp', port: asterisk.sip }), by('bert', { transport: 'tcp', port: asterisk.sip }), by('dora', { transport: 'tls', port: asterisk.tls, anchors: papers.anchors }),
  ])
  const [anna, bert, dora, carl] = await Promise.all([
    w.phone('anna', 700, a.sip), w.phone('bert', 1100, b.sip), w.phone('dora', 900, d.sip), w.phone('carl', 500, { address: asterisk.address, port: asterisk.sip }),
  ])
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

  dora.dial(at('anna', d.sip))
  bert.dial(at('carl', b.sip))
  await Promise.all([anna, bert, carl, dora].map((p) => p.events.next('established')))
  await Promise.all([hears(anna, 900, { settle: 1.3 }), hears(dora, 700, { settle: 1.3 }), hears(carl, 1100, { settle: 1.3 }), hears(bert, 500, { settle: 1.3 })])
  anna.hangup()
  carl.hangup()
  await Promise.all([anna, bert, carl, dora].map((p) => p.events.next('closed')))
  await until(10_000, 'Asterisk without a leg', async () => /0 active channels/.test(await asterisk.cli('core show channels count')) || undefined, undefined, 200)
})
