/** The page's phone on its line, from the dial pad to the channel: which call is shown, by what label, muted, in a conference, over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../../src/base/brand.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { makeFault, must, ok } from '../../../src/base/result.ts'
import { Secret } from '../../../src/base/secret.ts'
import type { RunningCall } from '../../../src/client/calls.ts'
import { Client } from '../../../src/client/client.ts'
import type { OpenChannel } from '../../../src/client/connection.ts'
import { BrowserHandset, type BrowserPhoneState } from '../../../src/client/handset/browser/handset.ts'
import { bridgedKind } from '../../../src/client/kinds/bridged/index.ts'
import { lineKind } from '../../../src/client/kinds/line/index.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import type { MediaCommand, MediaEvent } from '../../../src/media/api.ts'
import { privacyOf, privacySentence } from '../../../src/model/privacy.ts'
import { headerOf, makeReply, parseMessage, serialise, type SipRequest } from '../../../src/protocol/sip/index.ts'
import type { ClientMessage, ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { FakeVault } from '../../kit/fake-vault.ts'
import { lineAtProvider } from '../../kit/line-provider.ts'
import { pbxSdp } from '../../kit/relay-world.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const keys = { suite: 'AEAD_AES_128_GCM', masterKey: new Uint8Array(16), masterSalt: new Uint8Array(12) } as const

async function lineStage() {
  const clock = new VirtualClock()
  const media: MediaCommand[] = []
  const sent: ClientMessage[] = []
  const over: string[] = []
  const phone: BrowserPhoneState[] = []
  let toClient: (m: ServerMessage) => void = () => {}
  let tellMedia: (e: MediaEvent) => void = () => {}
  let cut: () => void = () => {}
  const channel: OpenChannel = { pipe: 1, send: (m) => ok(void sent.push(m)), onMessage: (l) => { toClient = l }, onClose: (l) => { cut = () => l(makeFault('CHANNEL_CLOSED')) }, close: () => {} }
  const client = new Client({
    vault: new FakeVault({ 'hop.offer': () => ok({ message: new Uint8Array(1) }), 'hop.finish': () => ok({ receive: keys, send: keys }) }),
    media: {
      command: (c) => {
        media.push(c)
        if (c.op === 'phone.open') clock.at(clock.now(), () => tellMedia({ op: 'phone.opened', phone: c.phone, local: { address: c.media.kind === 'stream' ? '' : '127.0.0.1', port: c.media.kind === 'stream' ? 0 : 20_000 + c.phone } }))
        if (c.op === 'call.open') clock.at(clock.now(), () => tellMedia({ op: 'call.opened', call: c.call, rtp: { address: '127.0.0.1', port: 30_000 }, rtcp: { address: '127.0.0.1', port: 30_001 } }))
      },
      subscribe: (l) => { tellMedia = l; return { [Symbol.dispose]: () => {} } },
    },
    crypto: createNodeCrypto(), scheduler: clock, agent: 'test', kinds: [bridgedKind(), lineKind()],
    dialPlan: { roomPrefix: '8', roomNames: {}, emergencyNumbers: ['112'] },
    connection: { open: async () => ok(channel), suites: ['AEAD_AES_128_GCM'], fallback: { address: '127.0.0.1', port: 1 } },
    upstream: { report: () => {}, account: { user: '100', domain: 'pbx.example', password: new Secret(utf8('secret')) } },
    observer: { onOver: (_, reason, fault) => void over.push(fault?.code ?? reason) },
  })
  const browser = new BrowserHandset('browser', { change: (s) => phone.push(s), sound: () => {} })
  client.addHandset(browser)
  client.start()
  await clock.advance(0)
  toClient({ k: 'welcome', version: 1, capabilities: ['sip', 'pbx'], agent: 's', realm: 'r', session: 's1', unixTime: 1, udp: [] })
  await clock.advance(0)
  toClient({ k: 'hop-answer', generation: 1, message: new Uint8Array(1), probe: ssrc(9) })
  await clock.advance(50)
  const requests = () => sent.flatMap((m) => (m.k === 'sip-request' ? [{ id: m.id, request: must(parseMessage(m.message, { stream: true })) as SipRequest }] : []))
  const stage = {
    clock, client, browser, media, phone, over, requests,
    tell: (m: ServerMessage) => toClient(m),
    cut: () => cut(),
    /** The PBX answers the newest request of this method. */
    async answers(method: string, status: number, body = ''): Promise<SipRequest> {
      const { id, request } = requests().findLast((r) => r.request.method === method)!
      const contact = method === 'REGISTER' ? headerOf(request, 'Contact')! : '<sip:asterisk@10.0.0.9:5060>'
      const headers = [{ name: 'Contact', value: contact }, ...(body === '' ? [] : [{ name: 'Content-Type', value: 'application/sdp' }])]
      toClient({ k: 'sip-response', id, message: serialise(makeReply(request, status, { tag: 'pbx', headers, body: utf8(body) })), ...(method === 'INVITE' ? { streams: { up: 1000, down: 2000 } } : {}) })
      await clock.advance(50)
      return request
    },
    async connected(number = '102'): Promise<{ call: RunningCall; invite: SipRequest }> {
      browser.dial(number)
      await clock.advance(50)
      const invite = await stage.answers('INVITE', 200, pbxSdp)
      return { call: client.calls.find((c) => c.line !== undefined)!, invite }
    },
  }
  await stage.answers('REGISTER', 200)
  return stage
}

test('what is no room is called on the line: bridged, with somebody whom no certificate names; muted, unmuted, hung up', async () => {
  const s = await lineStage()
  assert.equal(s.client.upstream!.line!.registered, true)
  const { call, invite } = await s.connected()
  assert.equal(invite.uri.text, 'sip:102@pbx.example')
  assert.deepEqual(s.phone.map((p) => p.state), ['dialling', 'talking'])
  assert.deepEqual([privacyOf(call.roster), call.roster.callers.map((c) => c.number)], ['bridged', ['102']])
  assert.match(privacySentence(call.roster), /^Our server can hear this\. So can anyone on the line of an unverified caller\./)
  const patch = () => s.media.findLast((c) => c.op === 'phone.patch')!
  const [page, line] = s.media.flatMap((c) => (c.op === 'phone.open' ? [c.phone] : []))
  assert.deepEqual(patch(), { op: 'phone.patch', phone: page, with: line, muted: false })
  call.toggleMute()
  assert.deepEqual(patch(), { op: 'phone.patch', phone: page, with: line, muted: true })
  call.toggleMute()
  s.browser.digit('*')
  s.browser.digit('1')
  assert.deepEqual(s.media.flatMap((c) => (c.op === 'phone.digit' ? [c.digit] : [])), ['*', '1'], 'keys are for the other end')
  assert.equal(call.muted, false)
  s.browser.hangup()
  await s.clock.advance(50)
  assert.equal(s.requests().at(-1)!.request.method, 'BYE')
  assert.deepEqual([s.over, s.client.calls.length], [['left'], 0])
  assert.deepEqual(s.media.flatMap((c) => (c.op === 'phone.close' ? [c.phone] : [])).toSorted(), [page, line].toSorted(), 'both legs are closed')
})

test('rooms stay rooms, with or without an account', async () => {
  const s = await lineStage()
  s.browser.dial('8100')
  await s.clock.advance(50)
  assert.ok(!s.requests().some((r) => r.request.method === 'INVITE'))
})

test('a refusal is told to the page, with what it means', async () => {
  const s = await lineStage()
  s.browser.dial('102')
  await s.clock.advance(50)
  await s.answers('INVITE', 486)
  assert.equal(s.phone.at(-1)!.state, 'idle')
  assert.match(s.phone.at(-1)!.reason!, /^The other side is busy/)
  assert.deepEqual(s.over, ['LINE_BUSY'])
})

test('help is called on the line; without the server it is said at once that another phone is needed', async () => {
  const s = await lineStage()
  s.browser.dial('112')
  await s.clock.advance(50)
  assert.equal(s.requests().at(-1)!.request.uri.text, 'sip:112@pbx.example')
  s.browser.hangup()
  s.cut()
  await s.clock.advance(50)
  s.browser.dial('112')
  assert.equal(s.phone.at(-1)!.state, 'idle')
  assert.match(s.phone.at(-1)!.reason!, /Use another phone now/)
})

test('a call that rings is taken, whoever it says that it is: the dial plan is for what is dialled here', async () => {
  const s = await lineStage()
  const contact = /<([^>]+)>/.exec(headerOf(s.requests()[0]!.request, 'Contact')!)![1]!
  for (const [id, number] of [[1, '8100'], [2, '112']] as const) {
    s.tell({
      k: 'sip-request', id, streams: { up: 3000 + id, down: 4000 + id },
      message: utf8([`INVITE ${contact} SIP/2.0`, `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKring${id}`, 'Max-Forwards: 70', `From: <sip:${number}@pbx>;tag=x${id}`, `To: <${contact}>`, `Call-ID: rings${id}`, 'CSeq: 1 INVITE', 'Contact: <sip:asterisk@10.0.0.9:5060>', 'Content-Type: application/sdp', `Content-Length: ${utf8(pbxSdp).length}`, '', pbxSdp].join('\r\n')),
    })
    await s.clock.advance(50)
    const ring = s.client.upstream!.line!.rings.find((r) => r.number === number)!
    s.browser.dial(ring.number, ring.id)
    await s.clock.advance(50)
    assert.deepEqual(s.client.calls.map((c) => [c.name, c.kind, c.line?.call.state]), [[number, 'bridged', 'up']])
    assert.ok(!s.requests().some((r) => r.request.method === 'INVITE'), 'nobody is called')
    s.client.calls[0]!.input({ kind: 'leave' })
    await s.clock.advance(50)
  }
})

test('in a conference of the PBX its roster shows the call, for as long as it is in it', async () => {
  const s = await lineStage()
  const { call, invite } = await s.connected('700')
  assert.equal(s.client.shownBy(call), call)
  s.tell({ k: 'pbx-roster', conference: '700', current: true, locked: false, recorded: false, host: false, more: 0, members: [{ id: 1, number: '100', call: invite.callId }, { id: 2, number: '101' }] })
  await s.clock.advance(10)
  const conference = s.client.shownBy(call)
  assert.notEqual(conference, call)
  assert.deepEqual(conference.roster.callers.map((c) => c.number), ['100', '101'])
  s.tell({ k: 'pbx-left', conference: '700' })
  await s.clock.advance(10)
  assert.equal(s.client.shownBy(call), call)
})

test('an account that ends with its client is given back', async () => {
  const s = await lineStage()
  const stopped = s.client.stop()
  await s.clock.advance(5000)
  await stopped
  assert.equal(headerOf(s.requests().at(-1)!.request, 'Expires'), '0')
})

test('at a provider: without a way it is not registered, and registers at once when there is one again', async () => {
  const w = lineAtProvider(() => false)
  await w.pass(200)
  const line = w.client.upstream!.line!
  assert.equal(line.registered, true)
  w.way(false)
  assert.deepEqual([line.registered, line.fault?.code], [false, 'LINE_NO_SERVICE'])
  const before = w.provider.requests.length
  w.way(true)
  await w.pass(100)
  assert.deepEqual([line.registered, w.provider.requests.length], [true, before + 1])
})
