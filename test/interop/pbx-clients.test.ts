/** The whole: server, clients, softphones and a real Asterisk; what people read on their clients' terminals. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { asteriskBlocks } from '../../src/server/pbx/asterisk-config.ts'
import { endpoint } from '../kit/asterisk.ts'
import { behindPbx } from '../kit/behind-pbx.ts'
import { freePorts } from '../kit/free-ports.ts'
import { hears } from '../kit/hears.ts'
import { promised, until } from '../kit/processes.ts'
import { needs, needsAsterisk } from './setup.ts'

const names = ['anna', 'bert', 'carl', 'dora', 'emil']
const at = (extension: string, a: { address: string; port: number }): string => `sip:${extension}@${a.address}:${a.port}`

test('clients show each other by certificate and a plain phone as unverified; nobody gets in where certificates are demanded', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const agi = await freePorts(2)
  const secretFile = path.join(tmpdir(), `stc-ami-${process.pid}-${agi}.secret`)
  writeFileSync(secretFile, 'only for tests\n', { mode: 0o600 })
  const blocks = asteriskBlocks({ ami: { user: 'stc', secret: 'only for tests', permit: ['127.0.0.1/32'] }, agi: { address: '127.0.0.1', port: agi }, conferences: ['_7XX'], phones: [] })
  const w = await behindPbx(t, {
    config: () => ({
      'manager.conf': blocks.manager, 'confbridge.conf': blocks.confbridge, 'pjsip.conf': names.map((n) => endpoint(n)).join('\n'),
      'extensions.conf': `${blocks.extensions}\n[phones]\ninclude => stc-conferences\n`,
    }),
    serverConfig: ({ ami }) => ({ pbx: { ami: { port: ami, secretFile }, agi: { port: agi }, conferences: { 701: { certificates: 'required' } } } }),
  })
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const [anna, bert] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip)]
  const carl = await w.phone('carl', 500, { address: w.asterisk.address, port: w.asterisk.sip })

  anna.dial(at('700', a.sip))
  await a.shows(/◐ Our server can hear this\.\n {4}\d+ anna {2}\[[0-9a-f]{8}\] {2}\(you\)/)
  bert.dial(at('700', b.sip))
  await a.shows(/bert joined/)
  await b.shows(/ {4}\d+ anna {2}\[[0-9a-f]{8}\]/)
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  carl.dial(at('700', { address: w.asterisk.address, port: w.asterisk.sip }))
  for (const c of [a, b]) {
    await c.shows(/So can anyone on the line of an unverified caller\./)
    await c.shows(/ {2,4}\d+ unverified: carl/)
  }
  carl.hangup()
  for (const c of [a, b]) await c.shows(/an unverified caller \(carl\) left/)
  // Its power is cut: nobody says BYE for it but its client, and RTP goes on all the time.
  await bert.kill()
  await a.shows(/bert left/, promised(150_000))
  await until(5000, "the end of bert's leg", async () => !/PJSIP\/bert-/.test(await w.asterisk.cli('core show channels concise')) || undefined, undefined, 200)
  await b.shows(/RELAY_PHONE_GONE|no longer answers in its call/)
  anna.hangup()
  await a.shows(/700: left/)

  // Two desk phones of one client, each with a line, an identity and a vault of its own.
  const emils = w.authority.member('emil')
  const port = await freePorts(4)
  const d = await w.client('dora', { lines: [{ identity: emils, phones: [{ line: 'emil', address: '127.0.0.1', port }] }] })
  const [dora, emil] = [await w.phone('dora', 700, d.sip), await w.phone('emil', 1100, { address: '127.0.0.1', port })]
  dora.dial(at('702', d.sip))
  emil.dial(at('702', { address: '127.0.0.1', port }))
  await d.shows(/ {4}\d+ dora {2}\[[0-9a-f]{8}\] {2}\(you\)[\s\S]* {4}\d+ emil {2}\[[0-9a-f]{8}\]/)
  await d.shows(/ {4}\d+ emil {2}\[[0-9a-f]{8}\] {2}\(you\)/)
  await Promise.all([hears(dora, 1100), hears(emil, 700)])
  for (const p of [dora, emil]) p.hangup()

  await carl.events.next('closed')
  carl.dial(at('701', { address: w.asterisk.address, port: w.asterisk.sip }))
  await carl.events.next('closed', 20_000)
  assert.match(w.server.process.output(), /PBX_CERTIFICATE_NEEDED/)
  await anna.events.next('closed')
  const before = a.process.output().length
  anna.dial(at('701', a.sip))
  await until(10_000, 'the roster of the conference that demands certificates', () => /◐ Our server can hear this\.\n {4}\d+ anna {2}\[/.test(a.process.output().slice(before)) || undefined, a.process.tail)
})

test('a gateway brings an extension into a sealed room, and everybody is told; a second one, and one where the room allows none, is refused', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await behindPbx(t, {
    config: () => ({
      'pjsip.conf': names.map((n) => endpoint(n)).join('\n'),
      'extensions.conf': `[phones]\nexten => _8XXX,1,Dial(PJSIP/\${EXTEN}@stc-gateway,30)\nexten => _9XXX,1,Dial(PJSIP/8\${EXTEN:1}@stc-second,30)\n`,
    }),
  })
  const rooms = { default: { suite: 'x25519', gateways: true }, 200: { suite: 'x25519', gateways: false } }
  const a = await w.client('anna', { rooms })
  const [g, second] = [await w.client('desk', { kind: 'gateway', upstream: 'none' }), await w.client('hall', { kind: 'gateway', upstream: 'none' })]
  for (const [name, { sip }] of [['stc-gateway', g], ['stc-second', second]] as const) {
    w.asterisk.write('pjsip.conf', `[${name}]\ntype=endpoint\ncontext=phones\ndisallow=all\nallow=g722\naors=${name}\ndirect_media=no\n[${name}]\ntype=aor\ncontact=sip:127.0.0.1:${sip.port}`)
  }
  await w.asterisk.cli('module reload res_pjsip.so')
  await until(10_000, 'the gateway at Asterisk', async () => (await w.asterisk.cli('pjsip show endpoints')).includes('stc-second') || undefined)
  const anna = await w.phone('anna', 700, a.sip)
  const carl = await w.phone('carl', 500, { address: w.asterisk.address, port: w.asterisk.sip })
  anna.dial(at('8100', a.sip))
  await anna.events.next('established')
  carl.dial(at('8100', { address: w.asterisk.address, port: w.asterisk.sip }))
  await carl.events.next('established', 30_000)
  await a.shows(/gateway: telephone callers can hear this/)
  await a.shows(/Telephone callers can hear this through a gateway\./)
  await Promise.all([hears(anna, 500), hears(carl, 700)])

  const plainAt = { address: w.asterisk.address, port: w.asterisk.sip }
  const bert = await w.phone('bert', 1100, plainAt)
  bert.dial(at('9100', plainAt))
  await bert.events.next('closed', 30_000)
  await second.shows(/there is a gateway to the telephone network already/)
  assert.doesNotMatch(a.process.output(), /hall {2}\[/)
  await hears(anna, 500)
  for (const p of [anna, carl]) {
    p.hangup()
    await p.events.next('closed')
  }

  anna.dial(at('8200', a.sip))
  await anna.events.next('established')
  carl.dial(at('8200', plainAt))
  await carl.events.next('closed', 30_000)
  await g.shows(/gateways to the telephone network are not allowed/)
  const room = a.process.output().slice(a.process.output().lastIndexOf('200'))
  assert.doesNotMatch(room, /telephone callers|desk {2}\[/i)
})
