/** The drivers of real phones prove themselves against each other, without anything of ours in between. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { hears } from '../kit/hears.ts'
import { startBaresip } from '../kit/phones/baresip.ts'
import { startLinphonec } from '../kit/phones/linphonec.ts'
import type { PhoneCodecName } from '../kit/phones/phone.ts'
import { tone, } from '../kit/tones.ts'
import { seconds, writeWav } from '../kit/wav.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-phones-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const microphone = (hz: number): string => {
  const file = path.join(folder, `${hz}.wav`)
  writeWav(file, tone(hz, { rate: 16000, seconds: 240 }))
  return file
}

for (const codec of ['g722', 'pcmu', 'pcma', 'opus'] satisfies PhoneCodecName[]) {
  test(`baresip and baresip hear each other in ${codec}`, async (t) => {
    if (!needs(t, 'baresip')) return
    const alice = await startBaresip({ name: 'alice', codecs: [codec], microphone: microphone(487) })
    t.after(() => alice.stop())
    const bob = await startBaresip({ name: 'bob', codecs: [codec], microphone: microphone(1033), autoAnswer: true })
    t.after(() => bob.stop())
    alice.dial(bob.uri)
    await Promise.all([alice.events.next('established'), bob.events.next('established')])
    await Promise.all([hears(alice, 1033, { not: 487 }), hears(bob, 487, { not: 1033 })])
    bob.hangup()
    await Promise.all([alice.events.next('closed'), bob.events.next('closed')])
  })
}

for (const codec of ['g722', 'pcmu', 'pcma', 'opus'] satisfies PhoneCodecName[]) {
  test(`linphonec and baresip hear each other in ${codec}`, async (t) => {
    if (!needs(t, 'baresip', 'linphonec')) return
    const lena = await startLinphonec({ name: 'lena', codecs: [codec], microphone: microphone(487) })
    t.after(() => lena.stop())
    const bob = await startBaresip({ name: 'bob', codecs: ['g722', 'pcmu', 'pcma', 'opus'], microphone: microphone(1033), autoAnswer: true })
    t.after(() => bob.stop())
    lena.dial(bob.uri)
    await Promise.all([lena.events.next('established'), bob.events.next('established')])
    await lena.events.next('media')
    await Promise.all([hears(lena, 1033, { not: 487 }), hears(bob, 487, { not: 1033 })])
    lena.hold()
    await Promise.all([lena.events.next('media'), bob.events.next('media')])
    lena.resume()
    await Promise.all([lena.events.next('media'), bob.events.next('media')])
    // With Opus linphonec sends telephone-event at 48 kHz (the audio's clock, RFC 4733), which this baresip does not know.
    if (codec !== 'opus') {
      lena.sendDtmf('7')
      assert.equal((await bob.events.next('dtmf')).digit, '7')
    }
    lena.hangup()
    await Promise.all([lena.events.next('closed'), bob.events.next('closed')])
  })
}

test('baresip calls linphonec, holds and resumes, and sees it vanish', async (t) => {
  if (!needs(t, 'baresip', 'linphonec')) return
  const lena = await startLinphonec({ name: 'lena', codecs: ['g722'], microphone: microphone(487), autoAnswer: true })
  t.after(() => lena.stop())
  const alice = await startBaresip({ name: 'alice', codecs: ['g722'], microphone: microphone(1033) })
  t.after(() => alice.stop())
  alice.dial(lena.uri)
  await Promise.all([lena.events.next('incoming'), alice.events.next('established')])
  await lena.events.next('media')
  alice.hold()
  await alice.events.next('media')
  alice.resume()
  await alice.events.next('media')
  alice.sendDtmf('5')
  assert.equal((await lena.events.next('dtmf')).digit, '5')
  await hears(lena, 1033, { not: 487 })
  await lena.kill()
  assert.equal((await lena.events.next('exit')).code, 'SIGKILL')
  assert.ok(seconds(lena.heard()) >= 1.5)
})
