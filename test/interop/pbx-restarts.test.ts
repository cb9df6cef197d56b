/** Calls and conferences through stc when Asterisk, the server, or the way between them ends without a word. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { at, type CoupledRelay, coupledRelay } from '../kit/coupled-relay.ts'
import { freePorts } from '../kit/free-ports.ts'
import { hears } from '../kit/hears.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import type { StcClient } from '../kit/stc.ts'
import { sdpOffer, UdpPhone } from '../kit/udp-phone.ts'
import { needs, needsAsterisk } from './setup.ts'

interface Talking {
  readonly w: CoupledRelay
  readonly a: StcClient
  readonly b: StcClient
  readonly anna: Baresip
  readonly bert: Baresip
}

async function start(t: TestContext): Promise<Talking | undefined> {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return undefined
  const w = await coupledRelay(t)
  const [a, b] = [await w.client('anna'), await w.client('bert')]
  return { w, a, b, anna: await w.phone('anna', 700, a.sip), bert: await w.phone('bert', 1100, b.sip) }
}
async function conference({ a, b, anna, bert }: Talking): Promise<void> {
  anna.dial(at('700', a.sip))
  bert.dial(at('700', b.sip))
  for (const p of [anna, bert]) await p.events.next('established')
  await a.shows(/bert joined|\d+ bert {2}\[/)
}
const noLeg = (w: CoupledRelay): Promise<true> => until(5000, 'Asterisk without a leg', async () => (await w.legs()).length === 0 || undefined, () => w.server.process.tail(), 200)

test('Asterisk dies: calls end at the phones, emergency calls get 503 at once; it comes back, and everything goes on', { timeout: 300_000 }, async (t) => {
  const s = await start(t)
  if (s === undefined) return
  const { w, a, b, anna, bert } = s
  await conference(s)
  // Asterisk writes registrations down some moments after it took them.
  const database = path.join(w.asterisk.folder, 'var/astdb.sqlite3')
  await until(15_000, 'registrations on the disk', () => ['anna', 'bert'].every((n) => readFileSync(database).includes(`/registrar/contact/${n}`)) || undefined, undefined, 200)
  const seen = w.server.process.output().length
  await w.asterisk.kill()
  for (const p of [anna, bert]) await p.events.next('closed', 5000)
  for (const c of [a, b]) await c.shows(/700: left/, 5000)
  anna.dial(at('112', a.sip))
  assert.match((await anna.events.next('closed', 3000)).reason, /503/)
  await w.asterisk.start()
  await until(10_000, 'sight of Asterisk again', () => w.server.process.output().includes('sees the conferences', seen) || undefined, w.server.process.tail)
  anna.dial(at('112', a.sip))
  await anna.events.next('established', 5000)
  anna.hangup()
  await anna.events.next('closed')
  // The phones are still registered there: nobody had to do anything.
  anna.dial(at('bert', a.sip))
  for (const p of [anna, bert]) await p.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])

  // Once more while no call stands: known as well before anybody needs it.
  anna.hangup()
  for (const p of [anna, bert]) await p.events.next('closed')
  await noLeg(w)
  const before = w.server.process.output().length
  await w.asterisk.kill()
  await until(10_000, 'the server that knows it', () => w.server.process.output().includes('the telephone system does not answer', before) || undefined, w.server.process.tail)
  anna.dial(at('112', a.sip))
  assert.match((await anna.events.next('closed')).reason, /503/)
})

test('Asterisk is killed and there again before anybody asked for it: its calls end all the same', { timeout: 300_000 }, async (t) => {
  const s = await start(t)
  if (s === undefined) return
  const { w, a, b, anna, bert } = s
  await conference(s)
  const seen = w.server.process.output().length
  await w.asterisk.restart('kill')
  for (const p of [anna, bert]) await p.events.next('closed', 5000)
  for (const c of [a, b]) await c.shows(/700: left/, 5000)

  // The same while its manager interface is cut off: by its silence on SIP, or once it is there again and tells of its start.
  for (const p of [anna, bert]) p.events.skip()
  await until(15_000, 'sight of Asterisk', () => w.server.process.output().includes('sees the conferences', seen) || undefined, w.server.process.tail)
  anna.dial(at('600', a.sip))
  await anna.events.next('established')
  w.ami.cut()
  await w.asterisk.restart('kill')
  w.ami.mode = 'pass'
  await anna.events.next('closed', 5000)
  assert.deepEqual(await w.legs(), [])

  // And where the server, too, was started anew and has never seen the one that had the call (life.test.ts has it in virtual time).
  if (process.env['STC_LONG'] === undefined) return
  w.ami.cut()
  const said = a.process.output().length
  await w.server.stop()
  await w.server.start()
  await until(15_000, 'the connection again', () => a.process.output().includes('connected to', said) || undefined, a.process.tail)
  anna.dial(at('600', a.sip))
  await anna.events.next('established')
  const answered = Date.now()
  await until(10_000, 'some seconds of call', () => Date.now() - answered > 3000 || undefined)
  await w.asterisk.restart('kill')
  w.ami.mode = 'pass'
  await anna.events.next('closed', 5000)
})

test('its manager interface is cut off: the call goes on, in sound too; the list is called old and then is right', { timeout: 300_000 }, async (t) => {
  const s = await start(t)
  if (s === undefined) return
  const { w, a, anna, bert } = s
  await conference(s)
  w.ami.cut()
  await a.shows(/The list of members is old/)
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  assert.equal((await w.legs()).length, 2)
  assert.deepEqual([anna, bert].map((p) => p.events.all.filter((e) => e.kind === 'closed').length), [0, 0])
  bert.hangup()
  await bert.events.next('closed')
  w.ami.mode = 'pass'
  await a.shows(/bert left/)
})

test('the server is killed: phones hear it; started again it ends the legs that are left, and the conference is met anew', { timeout: 300_000 }, async (t) => {
  const s = await start(t)
  if (s === undefined) return
  const { w, a, b, anna, bert } = s
  await conference(s)
  const carl = await w.phone('carl', 500, { address: w.asterisk.address, port: w.asterisk.sip })
  carl.dial(at('700', { address: w.asterisk.address, port: w.asterisk.sip }))
  await carl.events.next('established')
  // Asterisk answers before it asks who may come in: a server that is killed meanwhile lets nobody in.
  for (const c of [a, b]) await c.shows(/unverified: carl/)
  await w.server.kill()
  for (const p of [anna, bert]) await p.events.next('closed', 5000)
  assert.equal((await w.legs()).length, 3, 'nobody has told Asterisk')
  const before = [a, b].map((c) => c.process.output().length)
  anna.dial(at('112', a.sip))
  assert.match((await anna.events.next('closed', 3000)).reason, /503/)
  await w.server.start()
  await until(5000, 'the end of two legs', async () => (await w.legs()).every((c) => c.startsWith('PJSIP/carl')) || undefined, w.server.process.tail, 200)
  assert.equal((await w.legs()).length, 1, 'the plain phone is still there')
  for (const [i, c] of [a, b].entries()) await until(15_000, 'the connection again', () => c.process.output().includes('connected to', before[i]) || undefined, c.process.tail)
  await conference(s)
  for (const [i, c] of [a, b].entries()) await until(5000, 'the roster of three', () => /unverified: carl/.test(c.process.output().slice(before[i])) || undefined, c.process.tail)
  for (const p of [anna, bert, carl]) p.hangup()
  await noLeg(w)
})

test('over TLS and over TCP as well a server that was killed ends the legs that it left, and those alone, and its phones can be called again', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await coupledRelay(t, { transport: 'tls' })
  const a = await w.client('anna')
  const plainAt = { address: w.asterisk.address, port: w.asterisk.sip }
  const plain = await UdpPhone.open('127.0.0.1', plainAt, 'carl', 'secret-carl')
  t.after(() => plain.close())
  const sdp = sdpOffer('127.0.0.1', await freePorts(2), ['m=audio PORT RTP/AVP 9'])
  assert.equal((await plain.invite('600', sdp)).status, 200)
  const file = path.join(w.folder, 'server.yaml')
  for (const transport of ['TLS', 'TCP']) {
    if (transport === 'TCP') {
      const config = parse(readFileSync(file, 'utf8')) as { sip: object }
      await w.server.stop()
      writeFileSync(file, stringify({ ...config, sip: { ...config.sip, transport: 'tcp', port: w.asterisk.sip, anchors: [] } }))
      await w.server.start()
    }
    // The client and the server have their connections again when a call gets through.
    await until(20_000, `a call over ${transport}`, async () => {
      const phone = await UdpPhone.open('127.0.0.1', a.sip, 'anna', 'secret-anna')
      t.after(() => phone.close())
      return (await phone.invite('600', sdp)).status === 200 || undefined
    }, w.server.process.tail, 500)
    assert.match(await w.asterisk.cli('pjsip show channelstats'), /anna/)
    const called = await UdpPhone.open('127.0.0.1', a.sip, 'anna', 'secret-anna')
    t.after(() => called.close())
    assert.equal((await called.register()).status, 200)
    await w.server.kill()
    assert.equal((await w.legs()).length, 2)
    await w.server.start()
    await until(8000, `the end of the leg over ${transport}`, async () => (await w.legs()).length === 1 || undefined, w.server.process.tail, 200)
    assert.match((await w.legs())[0]!, /^PJSIP\/carl/)
    // Nobody has registered anew.
    await until(20_000, `a call to the phone over ${transport}`, async () => {
      await w.asterisk.cli('channel originate PJSIP/anna application Wait 1')
      return called.requests.some((r) => r.startsWith('INVITE ')) || undefined
    }, w.server.process.tail, 500)
    await until(20_000, 'the end of that call', async () => (await w.legs()).length === 1 || undefined, w.server.process.tail, 200)
    // Of two addresses the PBX would call the one or the other.
    assert.equal((await called.register(0)).status, 200)
  }
})
