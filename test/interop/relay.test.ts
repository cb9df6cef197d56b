/** Softphones at a real Asterisk through stc: nothing but the proxy address is changed in them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint } from '../kit/asterisk.ts'
import { behindPbx } from '../kit/behind-pbx.ts'
import { freePorts } from '../kit/free-ports.ts'
import { hears } from '../kit/hears.ts'
import { until } from '../kit/processes.ts'
import { TestAuthority } from '../kit/stc.ts'
import { toneShare } from '../kit/tones.ts'
import { sdpOffer, UdpPhone } from '../kit/udp-phone.ts'
import { part, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const extensions = `[phones]
exten => 600,1,Answer()
 same => n,Echo()
exten => 601,1,Answer()
 same => n,Read(digits,,3,,1,10)
 same => n,Log(NOTICE,three digits: \${digits})
 same => n,Echo()
exten => _75X,1,Answer()
 same => n,ConfBridge(\${EXTEN})
exten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)
exten => 700,hint,PJSIP/bert
`
const names = ['anna', 'bert', 'carl', 'dora']
const config = (more = '') => () => ({ 'pjsip.conf': names.map((n) => endpoint(n, { more })).join('\n'), 'extensions.conf': extensions })

const at = (extension: string, a: { address: string; port: number }): string => `sip:${extension}@${a.address}:${a.port}`

test('two clients and a plain phone call each other; hold, keys, a conference, a blind transfer', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await behindPbx(t, { config: config() })
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const [anna, bert] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip)]
  const carl = await w.phone('carl', 500, { address: w.asterisk.address, port: w.asterisk.sip })
  assert.match(await w.asterisk.cli('pjsip show contacts'), /anna\/sip:stc[0-9a-f]{24}@127\.0\.0\.1/)

  anna.dial(at('bert', a.sip))
  await anna.events.next('established')
  await bert.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  anna.hold()
  await anna.events.next('media')
  anna.resume()
  await anna.events.next('media')
  // baresip writes down nothing more of what it hears after a hold of its own.
  await hears(bert, 700)

  // To the plain phone, by REFER of anna: bert and carl go on.
  anna.command('transfer', at('carl', a.sip))
  await carl.events.next('established')
  await Promise.all([hears(carl, 1100), hears(bert, 500)])
  bert.hangup()
  await carl.events.next('closed')
  anna.events.skip()

  // A key whose packets are all lost is not sent again: then the menu is called once more.
  let digits: string | undefined
  for (let n = 1; digits !== '159'; n++) {
    assert.ok(n <= 3, `the digits were ${digits} in the end`)
    anna.dial(at('601', a.sip))
    await anna.events.next('established')
    await until(15_000, 'the menu', () => w.asterisk.log().split('Executing [601@phones:2] Read').length > n || undefined, w.asterisk.log, 100)
    anna.sendDtmf('159')
    digits = (await until(15_000, 'the digits', () => [...w.asterisk.log().matchAll(/NOTICE\[.*three digits: (\d*)/g)][n - 1], anna.printed, 100))[1]
    anna.hangup()
    await anna.events.next('closed')
  }

  anna.dial(at('750', a.sip))
  bert.dial(at('750', b.sip))
  for (const phone of [anna, bert]) await phone.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  assert.match(await w.asterisk.cli('confbridge list'), /^750 +2 /m)
  for (const phone of [anna, bert]) phone.hangup()

  // A call begins with the words that the server can hear it: the caller's own tone comes back from the echo when they are said. It is higher than speech is loud.
  // This phone is one on the LAN: TLS, and SRTP or nothing, which ends at its client.
  const { certificate, key, anchors } = new TestAuthority(w.folder, 'phones').server()
  const d = await w.client('dora', { spokenLabel: true, language: 'en' }, { transports: ['udp', 'tcp', 'tls'], tls: { certificate, key } })
  const secure = { address: d.sip.address, port: d.sip.port + 1 }
  const dora = await w.phone('dora', 2900, secure, { registrar: { ...secure, password: 'secret-dora', transport: 'tls' }, srtp: true, caFile: anchors[0]! })
  dora.dial(at('600', d.sip))
  await dora.events.next('established')
  const echoes = (from: number, to: number): number => toneShare(part(dora.heard(), from, to), 2900, -25)
  const start = await until(60_000, 'its echo', () => Array.from({ length: 600 }, (_, i) => i / 10).find((from) => from + 0.3 < seconds(dora.heard()) && echoes(from, from + 0.25) === 1), dora.printed, 200)
  assert.ok(start > 1, `heard from ${start} s on`)
  assert.ok(part(dora.heard(), 0, start).samples.filter((x) => Math.abs(x) > 2000).length > 0.2 * dora.heard().rate, 'words')
  dora.hangup()
  await dora.events.next('closed')
  carl.events.skip()
  carl.dial(w.asterisk.uri('dora'))
  await Promise.all([carl, dora].map((p) => p.events.next('established')))
  await Promise.all([hears(carl, 2900), hears(dora, 500)])
  carl.hangup()
  await until(10_000, 'Asterisk without a leg', async () => /0 active channels/.test(await w.asterisk.cli('core show channels count')) || undefined, undefined, 200)
})

for (const direct of ['yes', 'no']) test(`two clients call each other over TCP with direct_media ${direct}`, { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await behindPbx(t, { transport: 'tcp', config: () => ({ 'pjsip.conf': names.map((n) => endpoint(n).replace('direct_media=no', `direct_media=${direct}`)).join('\n'), 'extensions.conf': extensions }) })
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const [anna, bert] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip)]
  anna.dial(at('bert', a.sip))
  await anna.events.next('established')
  await bert.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  await hears(anna, 1100)
  bert.hangup()
  await anna.events.next('closed')
})

// Two minutes, where the machine is free for it; else twice the time after which Asterisk hangs up by itself.
const muteMs = process.env['STC_LONG'] === undefined ? 60_000 : 120_000
test('a long mute with rtp_timeout = 30: not hung up, as it is without us', { timeout: 300_000 }, async (t) => {
  if (!needsAsterisk(t)) return
  const open = '[dora]\ntype=endpoint\ncontext=phones\ndisallow=all\nallow=ulaw\naors=dora\nrtp_timeout=30\n[dora]\ntype=aor\nmax_contacts=2\n'
  const w = await behindPbx(t, { config: () => ({ 'pjsip.conf': open, 'extensions.conf': extensions }) })
  const client = await w.client('dora')
  const offer = sdpOffer('127.0.0.1', await freePorts(2), ['m=audio PORT RTP/AVP 0'])
  const plain = await UdpPhone.open('127.0.0.1', { address: w.asterisk.address, port: w.asterisk.sip }, 'dora')
  t.after(() => plain.close())
  const ours = await UdpPhone.open('127.0.0.1', client.sip, 'dora')
  t.after(() => ours.close())
  const began = Date.now()
  assert.deepEqual([(await plain.invite('600', offer)).status, (await ours.invite('600', offer)).status], [200, 200])
  const channels = async (): Promise<number> => (await w.asterisk.cli('core show channels concise')).split('\n').filter((l) => l.startsWith('PJSIP/dora-')).length
  await until(60_000, 'the end of the plain call', async () => (await channels()) === 1 || undefined, () => w.asterisk.log().slice(-2000), 500)
  await until(130_000, 'two minutes', () => Date.now() - began > muteMs || undefined, undefined, 500)
  assert.equal(await channels(), 1, w.asterisk.log().slice(-2000))
  assert.equal((await ours.bye('600')).status, 200)
  await until(5000, 'no leg left', async () => (await channels()) === 0 || undefined, undefined, 200)
})

test('reliable early media, keys by INFO, a message and an UPDATE inside the call, a session timer: as Asterisk takes and gives them', { timeout: 300_000 }, async (t) => {
  if (!needsAsterisk(t)) return
  const menu = `exten => 603,1,Progress()
 same => n,Wait(1)
 same => n,Answer()
 same => n,Read(digit,,1,,1,20)
 same => n,Log(NOTICE,one key: \${digit})
 same => n,SendText(a word from the menu)
 same => n,Echo()
`
  const open = '[dora]\ntype=endpoint\ncontext=phones\ndisallow=all\nallow=ulaw\naors=dora\ndtmf_mode=info\n100rel=peer_supported\ntimers=always\ntimers_min_se=90\ntimers_sess_expires=90\n[dora]\ntype=aor\nmax_contacts=2\n'
  const w = await behindPbx(t, { config: () => ({ 'pjsip.conf': open, 'extensions.conf': `${extensions}${menu}` }) })
  const client = await w.client('dora')
  const phone = await UdpPhone.open('127.0.0.1', client.sip, 'dora')
  t.after(() => phone.close())
  const answer = await phone.invite('603', sdpOffer('127.0.0.1', await freePorts(2), ['m=audio PORT RTP/AVP 0']), ['Supported: 100rel, timer', 'Session-Expires: 120', 'Min-SE: 90', 'Allow: INVITE, ACK, BYE, UPDATE, PRACK, INFO, MESSAGE'])
  assert.equal(answer.status, 200)
  assert.match(answer.text, /^Session-Expires: 120/im)
  const early = phone.replies.find((r) => r.status === 183)!
  assert.match(early.text, /^Require: .*100rel/im)
  assert.ok(phone.replies.some((r) => r.status === 200 && r.method === 'PRACK'))
  assert.equal((await phone.inside('603', 'INFO', ['Content-Type: application/dtmf-relay'], 'Signal=7\r\nDuration=160\r\n')).status, 200)
  await until(10_000, 'the key', () => /one key: 7/.test(w.asterisk.log()) || undefined, () => w.asterisk.log().slice(-1500))
  assert.equal((await phone.inside('603', 'UPDATE', ['Session-Expires: 120;refresher=uac', 'Supported: timer'])).status, 200)
  assert.match(String((await phone.inside('603', 'MESSAGE', ['Content-Type: text/plain'], 'is anybody there?')).status), /20[02]/)
  await until(5000, 'a message of the menu', () => phone.requests.some((r) => r.startsWith('MESSAGE ') && r.endsWith('a word from the menu')) || undefined, () => phone.requests.join('\n'))
  assert.equal((await phone.bye('603')).status, 200)
})

test('the client is killed, the server ends: phones and PBX hear of it, no leg is left', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await behindPbx(t, { config: config() })
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const [anna, bert] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip)]
  const legs = async (): Promise<string> => /(\d+) active channel/.exec(await w.asterisk.cli('core show channels count'))![1]!
  const talk = async (): Promise<void> => {
    anna.dial(at('bert', a.sip))
    await anna.events.next('established')
    await bert.events.next('established')
  }
  await talk()
  b.process.signal('SIGKILL')
  await anna.events.next('closed')
  await until(5000, 'no leg left after the death of a client', async () => (await legs()) === '0' || undefined, undefined, 200)

  anna.dial(at('600', a.sip))
  await anna.events.next('established')
  await w.server.stop()
  const closed = await anna.events.next('closed')
  assert.equal(closed.kind, 'closed')
  await until(5000, 'no leg left after the end of the server', async () => (await legs()) === '0' || undefined, () => w.asterisk.log().slice(-2000), 200)
  anna.dial(at('600', a.sip))
  const refused = await anna.events.next('closed')
  assert.match(refused.reason, /503/)
})

test('one client guesses passwords, the other registers; Asterisk is asked five times', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await behindPbx(t, { config: config() })
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  const guesser = await UdpPhone.open('127.0.0.1', a.sip, 'anna', 'wrong')
  t.after(() => guesser.close())
  for (let i = 0; i < 8; i++) assert.match(String((await guesser.register()).status), /401|403/)
  await a.shows(/Too many wrong passwords/)
  await w.phone('bert', 1100, b.sip)
  // What is repeated over UDP is the same answer once more.
  assert.equal(new Set([...w.asterisk.log().matchAll(/SecurityEvent="ChallengeResponseFailed".*,Response="([0-9a-f]+)"/g)].map((m) => m[1])).size, 5)
})
