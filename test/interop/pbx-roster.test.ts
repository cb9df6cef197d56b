/** The coupling to a real Asterisk: who is let in, who is on the roster, what a host does, and what happens when one of them is gone. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { Coupled, type Seen } from '../kit/coupled.ts'
import { tone } from '../kit/tones.ts'
import { writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-pbx-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const microphone = path.join(folder, 'microphone.wav')
writeWav(microphone, tone(700, { rate: 16000, seconds: 240 }))

const names = (s: Seen): string[] => s.members.map((m) => m.key === undefined ? `unverified ${m.number}` : `${m.who}`).sort()

test('certificates by certificate, plain phones unverified, and everybody is told of everything', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const world = await Coupled.start({ microphone, conferences: { 800: { hosts: ['cn:Anna'] } } })
  t.after(() => world.stop())
  const anna = await world.phone('anna', { client: 'Anna' })
  const bert = await world.phone('bert', { client: 'Bert' })
  const carl = await world.phone('carl')

  anna.dial('800')
  await anna.sees('alone', (r) => names(r).join() === 'Anna' && r.host)
  bert.dial('800')
  for (const p of [anna, bert]) await p.sees('two', (r) => names(r).join() === 'Anna,Bert')
  assert.equal(bert.roster!.host, false)
  carl.dial('800')
  for (const p of [anna, bert]) await p.sees('a plain phone', (r) => names(r).join() === 'Anna,Bert,unverified carl')
  assert.deepEqual(anna.roster!.members.filter((m) => m.call !== undefined).map((m) => m.who), ['Anna'], 'its own call is marked')

  // Who talks, from the tone that they all play.
  await anna.sees('somebody talks', (r) => r.members.some((m) => m.talking === true))

  const berts = (r: Seen) => r.members.find((m) => m.who === 'Bert')!
  anna.act('mute', berts(anna.roster!).id)
  await bert.sees('itself muted', (r) => berts(r).muted === true)
  anna.act('unmute', berts(anna.roster!).id)
  await bert.sees('itself heard again', (r) => berts(r).muted === undefined)

  bert.act('kick', bert.roster!.members.find((m) => m.who === 'Anna')!.id)
  assert.equal((await bert.fault()).code, 'PBX_NOT_HOST')

  bert.act('mute', berts(bert.roster!).id)
  await anna.sees('that he muted himself', (r) => berts(r).muted === true)

  anna.act('lock')
  await bert.sees('a lock', (r) => r.locked)
  await world.asterisk.cli('confbridge unlock 800')
  await bert.sees('that somebody else unlocked it', (r) => !r.locked)

  const channel = (await world.asterisk.cli('confbridge list 800')).split(/\s+/).find((w) => w.startsWith('PJSIP/carl'))!
  await world.asterisk.cli(`mixmonitor start ${channel} ${world.asterisk.folder}/spool/monitor/carl.wav`)
  for (const p of [anna, bert]) await p.sees('that one is recorded', (r) => r.members.find((m) => m.key === undefined)?.recorded === true)
  await world.asterisk.cli(`mixmonitor stop ${channel}`)
  await anna.sees('the end of the recording', (r) => r.members.every((m) => m.recorded === undefined))

  anna.act('kick', anna.roster!.members.find((m) => m.key === undefined)!.id)
  for (const p of [anna, bert]) await p.sees('one removed', (r) => names(r).join() === 'Anna,Bert')
  await carl.phone.events.next('closed')
  bert.hangup()
  await anna.sees('one left', (r) => names(r).join() === 'Anna')
  await bert.left('800')
})
