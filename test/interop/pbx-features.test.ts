/** What people expect of their PBX, through stc: transfers with a plain phone, voicemail, lamps and pickup, loss on the way. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { at, coupledRelay } from '../kit/coupled-relay.ts'
import { hears } from '../kit/hears.ts'
import { LossyGateway } from '../kit/lossy-gateway.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { startLinphonec } from '../kit/phones/linphonec.ts'
import { until } from '../kit/processes.ts'
import { bestShare, tone } from '../kit/tones.ts'
import { UdpPhone } from '../kit/udp-phone.ts'
import { writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

test('an attended transfer between a plain phone and a phone behind stc', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec') || !needsAsterisk(t)) return
  const w = await coupledRelay(t)
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const anna = await w.phone('anna', 700, a.sip)
  const carl = await w.phone('carl', 500, { address: w.asterisk.address, port: w.asterisk.sip })
  const microphone = path.join(w.folder, 'bert-8k.wav')
  writeWav(microphone, tone(1100, { rate: 8000, seconds: 240 }))
  const bert = await startLinphonec({ name: 'bert', codecs: ['pcmu'], microphone, registrar: { ...b.sip, password: 'secret-bert' } })
  t.after(() => bert.stop())
  await bert.events.next('registered')
  bert.dial(at('carl', b.sip))
  await bert.events.next('established')
  await carl.events.next('established')
  bert.hold()
  await bert.events.next('media')
  bert.dial(at('anna', b.sip))
  await bert.events.next('established')
  await anna.events.next('established')
  await hears(anna, 1100)
  bert.command('transfer 1 --to-call 2')
  await until(15_000, 'two legs only', async () => (await w.legs()).length === 2 || undefined, () => bert.events.all.map((e) => e.kind).join(), 200)
  await Promise.all([hears(anna, 500), hears(carl, 700)])
  anna.hangup()
  await carl.events.next('closed')
})

test('a message on the voicemail lights the lamp behind stc and is heard there; a ringing phone is picked up by its lamp', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await coupledRelay(t, {
    endpoint: 'mailboxes=100@default',
    dialplan: `exten => 500,1,VoiceMail(100@default,s)\nexten => 501,1,Answer()\n same => n,VoiceMailMain(100@default,sa(0))\nexten => _*8.,1,PickupChan(PJSIP/\${EXTEN:2},p)\nexten => bert,hint,PJSIP/bert`,
    more: () => ({ 'voicemail.conf': 'format=wav\nminsecs=1\n[default]\n100 => 1234,Anna\n' }),
  })
  const [a, b, d] = [await w.client('anna'), await w.client('bert'), await w.client('dora')]
  const plainAt = { address: w.asterisk.address, port: w.asterisk.sip }
  const lamps = await UdpPhone.open('127.0.0.1', d.sip, 'dora', 'secret-dora')
  t.after(() => lamps.close())
  assert.equal((await lamps.register()).status, 200)
  const lamp = (what: RegExp): Promise<true> => until(15_000, `${what} at the lamp`, () => lamps.requests.some((r) => what.test(r)) || undefined, () => lamps.requests.join('\n\n'), 50)
  const anna = await w.phone('anna', 700, a.sip)
  const carl = await w.phone('carl', 500, plainAt)
  const bert = await w.phone('bert', 1100, b.sip, { autoAnswer: false })

  carl.dial(at('500', plainAt))
  await carl.events.next('established')
  await until(30_000, 'the beep', () => /Playing 'beep/.test(w.asterisk.log()) || undefined, () => w.asterisk.log().slice(-2000), 100)
  const from = Date.now()
  await until(20_000, 'ten seconds of message', () => Date.now() - from > 10_000 || undefined, undefined, 100)
  carl.hangup()
  await carl.events.next('closed')
  await lamp(/Messages-Waiting: yes/)
  anna.dial(at('501', a.sip))
  await anna.events.next('established')
  // Between the words of the machine.
  await until(40_000, 'the message', () => bestShare(anna.heard(), 500, 2) >= 0.9 || undefined, () => w.asterisk.log().slice(-2000), 500)
  anna.hangup()
  await anna.events.next('closed')

  assert.match(String((await lamps.subscribe('bert', 'dialog', 'application/dialog-info+xml')).status), /20[02]/)
  await lamp(/<dialog-info[\s\S]*<state>terminated|<dialog-info/)
  carl.dial(at('bert', plainAt))
  await bert.events.next('incoming')
  await lamp(/<state>early<\/state>/)
  anna.dial(at('*8bert', a.sip))
  await anna.events.next('established')
  await carl.events.next('established')
  await bert.events.next('closed')
  await Promise.all([hears(anna, 500), hears(carl, 700)])
})

/** Of a hundred calls one loses all that is sent in four seconds: refused with Retry-After, it is made again. */
async function reaches(caller: Baresip, callee: Baresip, number: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    for (const p of [caller, callee]) p.events.skip()
    const from = caller.events.all.length
    caller.dial(number)
    const outcome = await until(30_000, 'the call, or its refusal', () => caller.events.all.slice(from).find((e) => e.kind === 'established' || e.kind === 'closed'), caller.printed, 50)
    if (outcome.kind === 'established') break
    assert.ok(attempt < 3 && /503/.test(outcome.reason), `refused ${attempt} times: ${outcome.reason}`)
  }
  await callee.events.next('established', 30_000)
}

test('ten per cent of all datagrams are lost before and behind stc: calls stand, are heard, and end', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  let behind: LossyGateway | undefined
  const w = await coupledRelay(t, {
    towardsPbx: async (asterisk) => {
      behind = await LossyGateway.start(t, { address: asterisk.address, port: asterisk.sip }, 0.1, 7)
      return { port: behind.port }
    },
  })
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const before = await LossyGateway.start(t, a.sip, 0.1, 11)
  const anna = await w.phone('anna', 700, { address: '127.0.0.1', port: before.port })
  const bert = await w.phone('bert', 1100, b.sip)
  for (let i = 0; i < 3; i++) {
    await reaches(anna, bert, at('bert', { address: '127.0.0.1', port: before.port }))
    await Promise.all([hears(anna, 1100), hears(bert, 700)])
    if (i % 2 === 0) anna.hangup()
    else bert.hangup()
    for (const p of [anna, bert]) await p.events.next('closed', 30_000)
  }
  await until(40_000, 'Asterisk without a leg', async () => (await w.legs()).length === 0 || undefined, undefined, 200)
  for (const g of [before, behind!]) assert.ok(g.lost > 50 && g.lost / g.seen > 0.07 && g.lost / g.seen < 0.13, `${g.lost} of ${g.seen} lost`)
})
