/** The page's phone with an account of its own, through both halves of the relay, at a scripted PBX, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '../../../src/base/bytes.ts'
import { Secret } from '../../../src/base/secret.ts'
import type { DialogNews } from '../../../src/client/call.ts'
import { type LineNews, OwnLine } from '../../../src/client/own-line.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import type { MediaCommand } from '../../../src/media/api.ts'
import { digestHa1, DigestServer, type SipRequest } from '../../../src/protocol/sip/index.ts'
import { unixTime } from '../../../src/base/brand.ts'
import { pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, sdpOf, tagOf } from '../../kit/sip-phone.ts'

const PASSWORD = 'correct horse'

/** A PBX that asks for the password of everything but what is inside a call. */
function lineWorld(o: { readonly password?: string; readonly algorithms?: readonly ('MD5' | 'SHA-256')[] } = {}) {
  const w = relayWorld()
  const crypto = createNodeCrypto()
  const digest = new DigestServer({ realm: 'asterisk', crypto, ha1Of: (user, algorithm) => (user === '100' ? digestHa1(crypto, algorithm, '100', 'asterisk', PASSWORD) : undefined) })
  const commands: MediaCommand[] = []
  const news: LineNews[] = []
  const dialog: DialogNews[] = []
  const line = new OwnLine({
    account: { user: '100', domain: 'pbx.example', password: new Secret(utf8(o.password ?? PASSWORD)) }, relay: w.relay, kind: 'bridged', scheduler: w.clock, crypto, isEmergency: (n) => n === '112',
    media: (c) => {
      commands.push(c)
      if (c.op === 'phone.open') line.onMedia({ op: 'phone.opened', phone: c.phone, local: { address: '127.0.0.1', port: 20000 + c.phone } })
    },
  })
  line.subscribe((n) => news.push(n))
  /** What the scripted PBX says once the password was right. */
  let allowed: (r: SipRequest) => { status: number; headers?: readonly string[]; body?: string } | undefined = (r) => (r.method === 'REGISTER' ? { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] } : { status: 200 })
  w.pbx.answer = (r) => {
    if (tagOf(r.to) !== '') return allowed(r)
    const verdict = digest.verify(r, unixTime(w.clock.unix()))
    const [challenge] = digest.challenges(unixTime(w.clock.unix()), !verdict.ok && verdict.stale, o.algorithms ?? ['MD5'])
    return verdict.ok ? allowed(r) : { status: 401, headers: [`WWW-Authenticate: ${challenge!.value}`] }
  }
  const world = {
    ...w, line, commands, news, dialog,
    allow: (f: typeof allowed) => void (allowed = f),
    pass: (ms = 100) => w.clock.advanceSync(ms),
    dial: (number: string, leg = 7) => line.dial(number, leg, (n) => dialog.push(n)),
    take: (leg = 8) => line.answer(line.rings[0]!.id, leg, (n) => dialog.push(n)),
    invites: () => w.pbx.requests.filter((r) => r.method === 'INVITE'),
    media: () => commands.flatMap((c) => (c.op === 'phone.set' && c.media.kind === 'rtp' ? [c.media] : [])).at(-1)!,
    /** The contact under which the PBX has our phone. */
    register: (): string => {
      line.up()
      world.pass(200)
      assert.equal(line.registered, true)
      return uriOf(headerOf(w.pbx.requests.findLast((r) => r.method === 'REGISTER')!, 'Contact')!)
    },
    /** The PBX calls it. */
    ring: (contact: string, body = pbxSdp): void => {
      w.pbx.to = `<${contact}>`
      w.pbx.invite({ uri: contact, body, from: '102' })
      world.pass()
    },
    left: async (): Promise<unknown> => {
      w.clock.advanceSync(100_000)
      await w.clock.advance(100_000)
      line.down()
      return { ...w.relay.load, running: w.clientMedia.running.length + w.serverMedia.running.length }
    },
  }
  return world
}
const nothing = { asked: 0, served: 0, dialogs: 0, running: 0 }
const sdpIn = (m: { body: Uint8Array }): string => fromUtf8(m.body)!

for (const algorithms of [['MD5'], ['SHA-256']] as const) test(`registers with its password (${algorithms[0]}), stays registered, and says goodbye`, async () => {
  const w = lineWorld({ algorithms })
  const contact = w.register()
  assert.match(contact, /^sip:stc[0-9a-f]{24}@10\.0\.0\.1:5080$/, 'the PBX sees the relay')
  assert.equal(w.pbx.requests.length, 2, 'once without, once with the password')
  w.pass(215_000)
  assert.equal(w.pbx.requests.length, 3, 'again before it runs out, with the password at once')
  assert.equal(uriOf(headerOf(w.pbx.requests.at(-1)!, 'Contact')!), contact)
  const ended = w.line.end()
  await w.clock.advance(1500)
  await ended
  assert.equal(headerOf(w.pbx.requests.at(-1)!, 'Expires'), '0')
  assert.deepEqual(await w.left(), nothing)
})

test('a wrong password is tried once, said so, and not again for five minutes', () => {
  const w = lineWorld({ password: 'wrong' })
  w.line.up()
  w.pass(200)
  assert.deepEqual([w.line.registered, w.line.fault?.code, w.pbx.requests.length], [false, 'LINE_PASSWORD', 2])
  w.pass(290_000)
  assert.equal(w.pbx.requests.length, 2)
  // A way that comes and goes is no reason to show it again.
  w.line.down()
  w.line.up()
  w.pass(1000)
  assert.deepEqual([w.pbx.requests.length, w.line.fault?.code], [2, 'LINE_PASSWORD'])
  w.pass(20_000)
  assert.equal(w.pbx.requests.length, 4)
  assert.equal(w.pbx.requests.filter((r) => headerOf(r, 'Authorization') !== undefined).length, 2, 'shown once each time')
})

test('what is granted for no time is asked for again after half a minute, and not called registered', () => {
  const w = lineWorld()
  w.allow((r) => ({ status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=0`] }))
  w.line.up()
  w.pass(200)
  assert.deepEqual([w.line.registered, w.pbx.requests.length], [false, 2])
  w.pass(29_000)
  assert.equal(w.pbx.requests.length, 2)
  w.pass(2000)
  assert.equal(w.pbx.requests.length, 3)
})

test('what is granted for a short time is asked for again before it is over', () => {
  const w = lineWorld()
  w.allow((r) => ({ status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=20`] }))
  w.line.up()
  w.pass(200)
  assert.deepEqual([w.line.registered, w.pbx.requests.length], [true, 2])
  w.pass(15_000)
  assert.equal(w.pbx.requests.length, 3)
})

for (const asks of [false, true]) test(`ended while its first registration is ${asks ? 'being asked for the password' : 'on its way'}: it is not left registered`, async () => {
  const w = lineWorld()
  const held = w.pbx.answer
  w.pbx.answer = asks ? held : () => undefined
  w.line.up()
  w.pass(asks ? 4 : 50)
  const ended = w.line.end()
  if (!asks) {
    const [first] = w.pbx.requests
    w.pbx.answer = (r) => ({ status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] })
    w.pbx.respond(first!, 200, [`Contact: ${headerOf(first!, 'Contact')};expires=300`])
  }
  await w.clock.advance(1500)
  await ended
  assert.equal(headerOf(w.pbx.requests.at(-1)!, 'Expires'), '0')
  if (asks) assert.equal(w.pbx.requests.length, 2, 'it says goodbye at once, and does not register first')
  w.line.up()
  const before = w.pbx.requests.length
  w.pass(1000)
  assert.equal(w.pbx.requests.length, before, 'not registered again after the end')
})

test('without a way it waits, and registers at once when there is one', () => {
  const w = lineWorld()
  w.state.up = false
  w.line.up()
  w.pass(200)
  assert.deepEqual([w.line.registered, w.line.fault?.code], [false, 'LINE_NO_SERVICE'])
  w.state.up = true
  w.line.up()
  w.pass(200)
  assert.equal(w.line.registered, true)
})

test('a call out: ringing, early sound, answer, hold and back, keys, hang-up', async () => {
  const w = lineWorld()
  w.register()
  w.allow((r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 }))
  const run = w.dial('102')
  w.pass()
  const invite = w.invites().at(-1)!
  assert.equal(invite.uri.text, 'sip:102@pbx.example')
  assert.match(sdpIn(invite), /m=audio 40000 RTP\/AVP 9 8 0 101\r\n/)
  assert.equal(run.call.state, 'ringing')
  w.pbx.respond(invite, 183, [], pbxSdp)
  w.pass()
  assert.equal(run.call.state, 'early')
  assert.deepEqual([w.media().codec, w.media().telephoneEvent, w.media().hold, w.media().send, w.media().remote], ['pcmu', 101, false, true, { address: '127.0.0.1', port: 30000 }], 'heard before the answer, from the relay on loopback')
  w.pbx.respond(invite, 200, [], pbxSdp)
  w.pass()
  assert.equal(run.call.state, 'up')
  assert.deepEqual(w.dialog, [{ kind: 'answered' }])
  assert.equal(w.pbx.requests.at(-1)!.method, 'ACK')
  const [local] = w.clientMedia.running
  assert.equal(local!.localAudio!.port, 20007, 'the relay sends to the RTP leg of the page')

  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp.replace('m=audio', 'a=recvonly\r\nm=audio') } : { status: 200 }))
  w.line.hold(run, true)
  w.pass()
  assert.match(sdpIn(w.invites().at(-1)!), /m=audio 40000 RTP\/AVP 0 101\r\n[\s\S]*a=sendonly/, 'the codec stays')
  assert.deepEqual([run.call.held, w.media().hold, w.dialog.at(-1)], [true, true, { kind: 'hold', held: true }])
  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200 }))
  w.line.hold(run, false)
  w.pass()
  assert.deepEqual([run.call.held, w.media().hold], [false, false])
  run.digit('5')
  assert.deepEqual(w.commands.at(-1), { op: 'phone.digit', phone: 7, digit: '5' })
  run.hangup()
  w.pass()
  assert.equal(w.pbx.requests.at(-1)!.method, 'BYE')
  assert.deepEqual(w.dialog.at(-1), { kind: 'over' })
  assert.ok(w.commands.some((c) => c.op === 'phone.close' && c.phone === 7))
  assert.deepEqual(await w.left(), nothing)
})

test('what comes of a call that does not stand is said as what it is', async () => {
  for (const [status, code] of [[486, 'LINE_BUSY'], [404, 'LINE_NO_NUMBER'], [480, 'LINE_NOT_THERE'], [603, 'LINE_DECLINED'], [488, 'LINE_NO_CODEC'], [500, 'LINE_REFUSED']] as const) {
    const w = lineWorld()
    w.allow((r) => ({ status: r.method === 'INVITE' ? status : 200 }))
    const run = w.dial('102')
    w.pass()
    const [over] = w.dialog
    assert.deepEqual([run.call.state, over?.kind === 'over' && over.fault?.code], ['over', code])
    assert.deepEqual(await w.left(), nothing)
  }
})

test('hung up while it rings: CANCEL; an answer that was faster is hung up', async () => {
  const w = lineWorld()
  w.allow((r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 }))
  const first = w.dial('102')
  w.pass()
  first.hangup()
  w.pass()
  assert.equal(w.pbx.requests.at(-1)!.method, 'CANCEL')
  w.pbx.respond(w.invites().at(-1)!, 487)
  w.pass()
  const second = w.dial('102', 9)
  w.pass()
  second.hangup()
  w.pbx.respond(w.invites().at(-1)!, 200, [], pbxSdp)
  w.pass(200)
  assert.deepEqual(w.pbx.requests.slice(-2).map((r) => r.method), ['ACK', 'BYE'])
  assert.deepEqual(await w.left(), nothing)
})

test('a call in: it rings with what the network says, is taken, is held by the other side, ends', async () => {
  const w = lineWorld()
  const contact = w.register()
  w.ring(contact)
  assert.deepEqual(w.line.rings.map((r) => r.number), ['102'])
  assert.equal(w.pbx.last.status, 180)
  assert.ok(w.take().ok)
  w.pass()
  assert.equal(w.pbx.last.status, 200)
  assert.match(sdpIn(w.pbx.last), /m=audio 40000 RTP\/AVP 0 101\r\n/)
  assert.equal(w.line.rings.length, 0)
  const ok = w.pbx.last
  w.pass(700)
  assert.equal(w.pbx.responses.filter((r) => r.status === 200 && r.cseq.method === 'INVITE').length, 2, 'the 2xx again until the ACK')
  const target = uriOf(headerOf(ok, 'Contact')!)
  w.pbx.send('ACK', { uri: target, to: ok.to.text })
  w.pass(40_000)
  assert.equal(w.pbx.responses.filter((r) => r.status === 200 && r.cseq.method === 'INVITE').length, 2)
  w.pbx.send('INVITE', { uri: target, to: ok.to.text, from: '102', body: sdpOf(['m=audio 17000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', 'a=inactive'], '10.0.0.9') })
  w.pass()
  assert.deepEqual([w.pbx.last.status, w.media().hold, w.media().send], [200, true, false])
  assert.match(sdpIn(w.pbx.last), /a=inactive/)
  w.pbx.send('ACK', { uri: target, to: ok.to.text })
  w.pbx.send('BYE', { uri: target, to: ok.to.text, from: '102' })
  w.pass()
  assert.deepEqual(w.dialog.at(-1), { kind: 'over' })
  assert.deepEqual(await w.left(), nothing)
})

test('a call in that is declined is busy; one that nobody takes was missed', async () => {
  const w = lineWorld()
  const contact = w.register()
  w.ring(contact)
  assert.ok(w.line.refuse(w.line.rings[0]!.id).ok)
  w.pass()
  assert.equal(w.pbx.last.status, 486)
  assert.equal(w.line.rings.length, 0)
  assert.ok(!w.news.some((n) => n.kind === 'missed'))
  assert.equal(w.line.refuse('gone').ok, false)
  const branch = 'z9hG4bKsecond'
  w.pbx.to = `<${contact}>`
  w.pbx.send('INVITE', { uri: contact, body: pbxSdp, from: '103', branch, headers: [] })
  w.pass()
  assert.equal(w.line.rings.length, 1)
  w.pbx.send('CANCEL', { uri: contact, from: '103', branch })
  w.pass()
  assert.deepEqual(w.news.flatMap((n) => (n.kind === 'missed' ? [n.ring.number] : [])), ['103'])
  assert.deepEqual(await w.left(), nothing)
})

test('a call is passed on by REFER, and is over when that has come about; a refusal leaves it', async () => {
  const w = lineWorld()
  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : r.method === 'REFER' ? { status: 403 } : { status: 200 }))
  const run = w.dial('102')
  w.pass(200)
  assert.equal(run.call.state, 'up')
  w.line.transfer(run, '103')
  w.pass()
  assert.equal(headerOf(w.pbx.requests.at(-1)!, 'Refer-To'), '<sip:103@pbx.example>')
  assert.deepEqual(w.news.flatMap((n) => (n.kind === 'failed' ? [n.fault.code] : [])), ['LINE_NOT_TRANSFERRED'])
  assert.equal(run.call.state, 'up')
  w.allow((r) => ({ status: r.method === 'REFER' ? 202 : 200 }))
  w.line.transfer(run, '103')
  w.pass()
  const refer = w.pbx.requests.at(-1)!
  w.pbx.raw([
    `NOTIFY ${uriOf(headerOf(refer, 'Contact')!)} SIP/2.0`, 'Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKnotify', 'Max-Forwards: 70', `From: ${refer.to.text}`, `To: ${refer.from.text}`, `Call-ID: ${refer.callId}`, 'CSeq: 7 NOTIFY',
    'Event: refer', 'Subscription-State: terminated;reason=noresource', 'Contact: <sip:asterisk@10.0.0.9:5060>', 'Content-Type: message/sipfrag;version=2.0', 'Content-Length: 14', '', 'SIP/2.0 200 OK',
  ].join('\r\n'))
  w.pass()
  assert.equal(w.pbx.requests.at(-1)!.method, 'BYE')
  assert.equal(run.call.state, 'over')
  assert.deepEqual(await w.left(), nothing)
})

/** A call of ours that stands, and what the PBX says in it. */
function standing(w: ReturnType<typeof lineWorld>) {
  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : r.method === 'REFER' ? { status: 202 } : { status: 200 }))
  const run = w.dial('102')
  w.pass(200)
  assert.equal(run.call.state, 'up')
  let cseq = 20
  return {
    run,
    says: (method: string, headers: readonly string[], type: string, body: string): void => {
      const invite = w.invites()[0]!
      const answer = w.pbx.requests.find((r) => r.method === 'ACK')!
      w.pbx.raw([
        `${method} ${uriOf(headerOf(invite, 'Contact')!)} SIP/2.0`, `Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKsays${++cseq}`, 'Max-Forwards: 70', `From: ${answer.to.text}`, `To: ${invite.from.text}`, `Call-ID: ${invite.callId}`, `CSeq: ${cseq} ${method}`,
        ...headers, 'Contact: <sip:asterisk@10.0.0.9:5060>', `Content-Type: ${type}`, `Content-Length: ${body.length}`, '', body,
      ].join('\r\n'))
      w.pass()
    },
  }
}

for (const status of [100, 486]) test(`a transfer of which the other side has said ${status} does not end the call by the clock`, () => {
  const w = lineWorld()
  const { run, says } = standing(w)
  w.line.transfer(run, '103')
  w.pass()
  says('NOTIFY', ['Event: refer', 'Subscription-State: active'], 'message/sipfrag;version=2.0', `SIP/2.0 ${status} x`)
  w.pass(60_000)
  assert.equal(run.call.state, 'up')
  assert.deepEqual(w.news.flatMap((n) => (n.kind === 'failed' ? [n.fault.code] : [])), status === 100 ? [] : ['LINE_NOT_TRANSFERRED'])
  // What nobody asked for moves nothing.
  if (status === 486) says('NOTIFY', ['Event: refer', 'Subscription-State: active'], 'message/sipfrag;version=2.0', 'SIP/2.0 200 OK')
  assert.equal(run.call.state, 'up')
})

test('a transfer of which nothing is said is taken as done', () => {
  const w = lineWorld()
  const { run } = standing(w)
  w.line.transfer(run, '103')
  w.pass(25_000)
  assert.equal(run.call.state, 'over')
})

for (const [direction, hold] of [['sendonly', false], ['recvonly', true], ['inactive', true]] as const) test(`the other side is ${direction}: its music or announcement is ${hold ? 'not ' : ''}heard`, () => {
  const w = lineWorld()
  const { says } = standing(w)
  says('INVITE', [], 'application/sdp', sdpOf(['m=audio 17000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', `a=${direction}`], '10.0.0.9'))
  assert.deepEqual([w.media().hold, w.media().send], [hold, direction === 'recvonly'])
})

test('the answer to an earlier offer that comes once more is not taken for that to the next', () => {
  const w = lineWorld()
  const { run } = standing(w)
  const listening = pbxSdp.replace('m=audio', 'a=recvonly\r\nm=audio')
  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: listening } : { status: 200 }))
  w.line.hold(run, true)
  w.pass()
  const first = w.invites().at(-1)!
  w.allow((r) => (r.method === 'INVITE' ? { status: 100 } : { status: 200 }))
  w.line.hold(run, false)
  w.pass()
  const second = w.invites().at(-1)!
  assert.notEqual(first.cseq.number, second.cseq.number)
  w.pbx.respond(first, 200, [], listening)
  w.pass()
  assert.equal(run.call.held, true, 'still')
  w.pbx.respond(second, 200, [], pbxSdp)
  w.pass()
  assert.deepEqual([run.call.held, w.media().hold, w.media().send], [false, false, true])
})

test('both offer at once: it is offered once more, however often it is asked for meanwhile', () => {
  const w = lineWorld()
  const { run } = standing(w)
  const before = w.invites().length
  w.allow((r) => ({ status: r.method === 'INVITE' ? 491 : 200 }))
  w.line.hold(run, true)
  w.pass()
  assert.equal(w.invites().length, before + 1)
  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp.replace('m=audio', 'a=recvonly\r\nm=audio') } : { status: 200 }))
  w.line.hold(run, true)
  w.pass()
  assert.equal(w.invites().length, before + 1)
  w.pass(10_000)
  assert.deepEqual([w.invites().length, run.call.held, w.media().hold], [before + 2, true, true])
})

test('a request in the call that nobody answers ends it, and the other side is told', () => {
  const w = lineWorld()
  const { run } = standing(w)
  w.allow((r) => (r.method === 'REFER' ? undefined : { status: 200 }))
  w.line.transfer(run, '103')
  w.pass(100_000)
  assert.equal(run.call.state, 'over')
  assert.ok(w.pbx.requests.some((r) => r.method === 'BYE'))
})

test('a call that was taken at another phone was not missed', () => {
  for (const [reason, missed] of [['SIP;cause=200;text="Call completed elsewhere"', 0], ['Q.850;cause=16, SIP ;cause=200', 0], ['SIP;cause=487', 1], ['Q.850;cause=200', 1]] as const) {
    const w = lineWorld()
    const contact = w.register()
    const branch = 'z9hG4bKelsewhere'
    w.pbx.to = `<${contact}>`
    w.pbx.send('INVITE', { uri: contact, body: pbxSdp, from: '103', branch, headers: [] })
    w.pass()
    w.pbx.send('CANCEL', { uri: contact, from: '103', branch, headers: [`Reason: ${reason}`] })
    w.pass()
    assert.deepEqual([w.line.rings.length, w.news.filter((n) => n.kind === 'missed').length], [0, missed], reason)
  }
})

test('a second call under the Call-ID of one that is there is refused, and cannot be taken for it', () => {
  const w = lineWorld()
  const contact = w.register()
  const call = (tag: string, branch: string): void => {
    w.pbx.raw([
      `INVITE ${contact} SIP/2.0`, `Via: SIP/2.0/UDP 10.0.0.9:5060;branch=${branch}`, 'Max-Forwards: 70', `From: <sip:102@pbx>;tag=${tag}`, `To: <${contact}>`, 'Call-ID: same', 'CSeq: 1 INVITE',
      'Contact: <sip:asterisk@10.0.0.9:5060>', 'Content-Type: application/sdp', `Content-Length: ${utf8(pbxSdp).length}`, '', pbxSdp,
    ].join('\r\n'))
    w.pass()
  }
  call('one', 'z9hG4bKone')
  const [ring] = w.line.rings
  assert.match(ring!.id, /^[0-9a-f]{32}$/)
  call('two', 'z9hG4bKtwo')
  assert.equal(w.pbx.last.status, 482)
  assert.deepEqual(w.line.rings.map((r) => r.id), [ring!.id])
})

test('the connection to the server breaks in a call: it is over, and the account is not there until it is back', async () => {
  const w = lineWorld()
  w.register()
  w.allow((r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200 }))
  const run = w.dial('102')
  w.pass(200)
  assert.equal(run.call.state, 'up')
  w.cut()
  w.line.down()
  w.pass(200)
  assert.deepEqual([run.call.state, w.line.registered, w.line.fault?.code], ['over', false, 'CLIENT_NO_CHANNEL'])
  assert.deepEqual(await w.left(), nothing)
})

test('an emergency number goes out without a registration; with no way it ends at once', () => {
  const w = lineWorld()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200 })
  const run = w.dial('112')
  w.pass()
  assert.equal(run.call.state, 'up')
  w.cut()
  w.pass()
  const again = w.dial('112', 9)
  w.pass()
  assert.equal(again.call.state, 'over')
})

test('number and name of who calls are made safe to show', () => {
  const w = lineWorld()
  const contact = w.register()
  w.pbx.raw([
    `INVITE ${contact} SIP/2.0`, 'Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKevil', 'Max-Forwards: 70', 'From: "\u202eknab your" <sip:%0a102@pbx>;tag=x', `To: <${contact}>`, 'Call-ID: evil', 'CSeq: 1 INVITE',
    'Contact: <sip:asterisk@10.0.0.9:5060>', 'Content-Type: application/sdp', `Content-Length: ${utf8(pbxSdp).length}`, '', pbxSdp,
  ].join('\r\n'))
  w.pass()
  assert.equal(w.line.rings.length, 1)
  for (const { number, name } of w.line.rings) assert.doesNotMatch(number + name, /[\u0000-\u001f\u202e]/)
})
