/** A phone that is gone in the middle of its call, and a network that is gone in the middle of a dial: nobody waits for ever. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { nothingLeft, pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, tagOf } from '../../kit/sip-phone.ts'

const asked = (phone: { requests: readonly { method: string }[] }): number => phone.requests.filter((r) => r.method === 'OPTIONS').length

test('a phone is asked inside its call every 15 s, by a number that stands in nobody\'s way, and any answer is a sign of life', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { invite } = w.call(phone)
  for (const status of [200, 500, 405]) {
    phone.answer = (r) => ({ status: r.method === 'OPTIONS' ? status : 200 })
    w.clock.advanceSync(16_000)
  }
  assert.equal(asked(phone), 3)
  const first = phone.requests.find((r) => r.method === 'OPTIONS')!
  assert.deepEqual([first.callId, tagOf(first.from), tagOf(first.to), first.cseq.number, first.uri.text], [phone.callId, tagOf(phone.responses.findLast((r) => r.status === 200)!.to), `f${phone.port}`, 0, `sip:alice@${phone.address}:${phone.port}`])
  assert.equal(w.pbx.requests.some((r) => r.method === 'OPTIONS' || r.method === 'BYE'), false, 'the PBX hears nothing of it')

  w.inside(invite, 'INFO', { cseq: 1 })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.last.status, 200, 'the first number of the PBX is still its own')
  const before = asked(phone)
  for (let i = 0; i < 6; i++) {
    phone.send('INFO', { uri: headerOf(phone.responses.find((r) => r.status === 200)!, 'Contact')!.replace(/[<>]/g, '') })
    w.clock.advanceSync(10_000)
  }
  assert.equal(asked(phone), before, 'who speaks is not asked')
})

test('a phone that called and is switched off in its call: the PBX gets a BYE in its name, and nothing is left', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { invite } = w.call(phone)
  phone.send('INFO', { uri: uriOf(headerOf(phone.responses.findLast((r) => r.status === 200)!, 'Contact')!) })
  w.clock.advanceSync(50)
  phone.gone = true
  w.clock.advanceSync(60_000)
  const bye = w.pbx.requests.at(-1)!
  const said = w.pbx.requests.findLast((r) => r.method === 'INFO')!
  assert.deepEqual([bye.method, bye.callId, tagOf(bye.from), tagOf(bye.to), bye.uri.text], ['BYE', invite.callId, tagOf(invite.from), 't5060', 'sip:asterisk@10.0.0.9:5060'])
  assert.ok(bye.cseq.number > said.cseq.number)
  assert.ok(w.codes().includes('RELAY_PHONE_GONE'))
  assert.equal(w.codes().includes('RELAY_MISMATCH'), false)
  assert.deepEqual(w.left(), nothingLeft)
})

test('a phone that was called and was started anew (481) has no call any more; its own BYE afterwards harms nobody', () => {
  const w = relayWorld()
  const phone = w.phone()
  const contact = w.register(phone)
  phone.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp.replaceAll('10.0.0.9', '127.0.0.1') } : { status: 200 })
  w.pbx.invite({ uri: contact, body: pbxSdp })
  w.clock.advanceSync(50)
  const answer = w.pbx.responses.findLast((r) => r.status === 200)!
  w.pbx.send('ACK', { uri: contact, to: answer.to.text })
  w.clock.advanceSync(50)
  phone.answer = () => ({ status: 481 })
  w.clock.advanceSync(16_000)
  const bye = w.pbx.requests.at(-1)!
  assert.deepEqual([bye.method, bye.callId, tagOf(bye.from), tagOf(bye.to), bye.uri.text], ['BYE', 'from-pbx', tagOf(answer.to), tagOf(answer.from), 'sip:asterisk@10.0.0.9:5060'])
  assert.equal(phone.requests.at(-1)!.method, 'BYE', 'it may know better than it says')
  assert.deepEqual(w.left(), nothingLeft)
})

test('a phone whose connection is lost has half a minute to come back; one that comes back keeps its call', () => {
  for (const back of [false, true]) {
    const w = relayWorld({ phoneTransport: 'TCP' })
    const phone = w.phone()
    w.register(phone)
    w.call(phone)
    phone.gone = true
    w.clock.advanceSync(16_000)
    assert.equal(w.pbx.requests.some((r) => r.method === 'BYE'), false, 'once may be chance')
    phone.gone = !back
    w.clock.advanceSync(40_000)
    assert.equal(w.pbx.requests.some((r) => r.method === 'BYE'), !back)
  }
})

test('a phone that drops questions with old numbers is asked outside of its call, and lives', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.call(phone)
  phone.answer = (r) => (r.method === 'OPTIONS' && tagOf(r.to) !== '' ? undefined : { status: 404 })
  w.clock.advanceSync(200_000)
  assert.ok(phone.requests.some((r) => r.method === 'OPTIONS' && tagOf(r.to) === ''))
  assert.equal(w.pbx.requests.some((r) => r.method === 'BYE'), false)
  phone.gone = true
  w.clock.advanceSync(60_000)
  assert.equal(w.pbx.requests.at(-1)!.method, 'BYE')
  assert.deepEqual(w.left(), nothingLeft)
})

test('the network is gone without a word: a dial hears 503 after 6 s, for help or not, and what gets through after all is hung up', () => {
  for (const uri of ['sip:112@127.0.0.1', 'sip:2002@127.0.0.1']) {
    const held: (() => void)[] = []
    let gone = false
    const w = relayWorld({ tamper: (m, towards) => {
      if (!gone || towards === 'client') return [m]
      held.push(() => w.receiveAtServer(m))
      return []
    } })
    w.pbx.answer = w.answering
    const phone = w.phone()
    gone = true
    w.state.heardAt = instant(w.clock.now())
    phone.invite({ uri, to: `<${uri}>` })
    w.clock.advanceSync(5000)
    assert.equal(phone.last.status, 100)
    w.clock.advanceSync(1500)
    assert.deepEqual([phone.last.status, headerOf(phone.last, 'Retry-After')], [503, '5'])
    phone.send('ACK', { to: phone.last.to.text, branch: phone.last.via[0]!.text.match(/branch=([^;]+)/)![1]! })
    assert.deepEqual(w.crossed.slice(-2).map(({ m }) => m.k), ['sip-request', 'sip-cancel'])
    // It comes back, and the PBX answers faster than the CANCEL comes.
    gone = false
    delete w.state.heardAt
    held.shift()!()
    w.clock.advanceSync(500)
    for (const run of held) run()
    w.clock.advanceSync(500)
    assert.deepEqual(w.pbx.requests.map((r) => r.method), ['INVITE', 'ACK', 'BYE'])
    assert.deepEqual(w.left(), nothingLeft)
  }
})

test('a network that dies while a dial waits is noticed as soon as one that was dead before it; a call that rings waits for the end of the connection', () => {
  for (const rings of [false, true]) {
    const w = relayWorld()
    w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: rings ? 180 : 100 } : { status: 200 })
    const phone = w.phone()
    phone.invite({ uri: 'sip:2002@127.0.0.1' })
    w.clock.advanceSync(4000)
    w.state.heardAt = instant(w.clock.now())
    w.clock.advanceSync(5900)
    assert.equal(phone.last.status, rings ? 180 : 100)
    w.clock.advanceSync(200)
    assert.equal(phone.last.status, rings ? 180 : 503)
    if (rings) w.cut()
    w.clock.advanceSync(100)
    assert.ok(phone.last.status >= 480)
  }
})

test('our address is another one: calls end at both sides with the reason, nothing is left', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.call(phone)
  w.upstream.moved()
  w.clock.advanceSync(100)
  for (const side of [phone, w.pbx]) {
    assert.equal(side.requests.at(-1)!.method, 'BYE')
    assert.match(headerOf(side.requests.at(-1)!, 'Reason')!, /another network/)
  }
  assert.ok(w.codes().includes('RELAY_MOVED'))
  assert.deepEqual(w.left(), nothingLeft)
})

test('a server that is heard is waited for, however long a phone rings', () => {
  const w = relayWorld()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 100 } : { status: 200 })
  const phone = w.phone()
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(30_000)
  assert.equal(phone.last.status, 100)
  w.pbx.respond(w.pbx.requests[0]!, 200, [], pbxSdp)
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 200)
})

test('a call for help is ended by nobody else, whatever its phone answers; nothing is said into it either', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { target } = w.call(phone, 'sip:112@127.0.0.1')
  phone.invite({ uri: target })
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 200)
  phone.send('ACK', { uri: target })
  phone.gone = true
  w.clock.advanceSync(300_000)
  assert.deepEqual(w.pbx.requests.filter((r) => r.method === 'BYE' || r.method === 'OPTIONS'), [])
  assert.equal(asked(phone), 0)
  assert.deepEqual(w.clientMedia.legs.map((l) => l.answered), [0], 'described anew, it is still one for help')
})

test('a phone that speaks while a question waits for its answer keeps its call', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { target } = w.call(phone)
  phone.answer = (r) => (r.method === 'OPTIONS' ? undefined : { status: 200 })
  w.clock.advanceSync(16_000)
  assert.ok(asked(phone) > 0)
  phone.send('INFO', { uri: target })
  // 32 s for the question in the call, 5 s for the one outside.
  w.clock.advanceSync(42_000)
  assert.equal(w.pbx.requests.some((r) => r.method === 'BYE'), false)
  w.clock.advanceSync(30_000)
  assert.equal(w.pbx.requests.at(-1)!.method, 'BYE', 'silent since')
  assert.deepEqual(w.left(), nothingLeft)
})
