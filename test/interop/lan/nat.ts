/**
 * Run by `../lan.test.ts` inside a network namespace: phones at 10.9.0.2 come out of their NAT as 203.0.113.77 with other ports,
 * and the server at 10.8.0.1 is reached as 198.51.100.1.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { endpoint } from '../../kit/asterisk.ts'
import { behindPbx } from '../../kit/behind-pbx.ts'
import { freePorts } from '../../kit/free-ports.ts'
import { hears } from '../../kit/hears.ts'
import { startLinphonec } from '../../kit/phones/linphonec.ts'
import { until } from '../../kit/processes.ts'
import { tone } from '../../kit/tones.ts'
import { writeWav } from '../../kit/wav.ts'

const [phones, server, outside] = ['10.9.0.2', '10.8.0.1', '198.51.100.1']

/** What a NAT has changed the address of. */
const translated = (protocol: string): number => Number(new RegExp(`^ *(\\d+) .*SNAT +${protocol}`, 'm').exec(execFileSync('iptables', ['-t', 'nat', '-L', 'POSTROUTING', '-v', '-n', '-x'], { encoding: 'utf8' }))?.[1] ?? 0)

test('baresip and linphonec by themselves, behind a NAT, at a server behind a NAT: registered, called both ways, held, heard', { timeout: 600_000 }, async (t) => {
  const sips = await freePorts(2)
  const w = await behindPbx(t, {
    names: [outside],
    config: () => ({
      'pjsip.conf': ['anna', 'bert'].map((n) => endpoint(n)).join('\n'),
      'extensions.conf': `[phones]\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20,Tt)\n`,
    }),
    serverConfig: () => ({ phones: { listen: { address: server, port: sips }, advertise: outside, extensions: { anna: ['cn:anna'], bert: ['cn:bert'] } } }),
  })
  const registrar = { address: outside, port: sips, transport: 'tls' } as const
  const paper = w.authority.member('anna')
  const both = path.join(w.folder, 'anna-both.pem')
  writeFileSync(both, readFileSync(paper.certificate, 'utf8') + readFileSync(paper.key, 'utf8'))
  const anna = await w.phone('anna', 700, registrar, { address: phones, codecs: ['pcmu'], registrar: { ...registrar, password: 'secret-anna' }, srtp: true, caFile: paper.anchors[0]!, certificateFile: both })
  const microphone = path.join(w.folder, 'bert-8k.wav')
  writeWav(microphone, tone(1100, { rate: 8000, seconds: 240 }))
  const own = w.authority.member('bert')
  const bert = await startLinphonec({ name: 'bert', address: phones, codecs: ['pcmu'], microphone, registrar: { ...registrar, password: 'secret-bert' }, srtp: true, autoAnswer: true, caFile: own.anchors[0]!, certificate: own })
  t.after(() => bert.stop())
  await bert.events.next('registered')
  assert.match(await w.asterisk.cli('pjsip show contacts'), /anna\/sip:stc[0-9a-f]{24}@127\.0\.0\.1[\s\S]*bert\/sip:stc[0-9a-f]{24}@127\.0\.0\.1/)

  bert.dial(`sip:anna@${outside}:${sips};transport=tls`)
  await bert.events.next('established')
  await anna.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  bert.events.skip()
  bert.hold()
  await bert.events.next('media')
  bert.command('resume 1')
  await bert.events.next('media')
  await hears(anna, 1100)
  bert.hangup()
  await anna.events.next('closed')
  await bert.events.next('closed')

  anna.dial(`sip:bert@${outside}:${sips};transport=tls`)
  await anna.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  anna.hangup()
  await anna.events.next('closed')
  await until(10_000, 'Asterisk without a leg', async () => /0 active channels/.test(await w.asterisk.cli('core show channels count')) || undefined, undefined, 200)
  assert.ok(translated('6|tcp') > 0 && translated('17|udp') > 0, 'there was a NAT')
})
