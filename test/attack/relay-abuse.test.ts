/** Floods of calls, guessed passwords, another's name in From, another's place at the PBX. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nothingLeft, relayWorld } from '../kit/relay-world.ts'
import { headerOf } from '../kit/sip-phone.ts'

const authorization = 'Authorization: Digest username="alice", realm="asterisk", nonce="n1", uri="sip:pbx.example", nc=00000001, cnonce="c", qop=auth, response="00"'
const challenge = 'WWW-Authenticate: Digest realm="asterisk", nonce="n1", algorithm=MD5, qop="auth"'

test('an INVITE flood of one phone is cut off at the client; another phone still calls', () => {
  const w = relayWorld()
  w.pbx.answer = () => ({ status: 486 })
  const flooder = w.phone({ address: '192.0.2.50', port: 6000, callId: 'flood' })
  for (let i = 0; i < 500; i++) flooder.invite({ uri: 'sip:2002@127.0.0.1', body: '' })
  w.clock.advanceSync(200)
  assert.equal(w.crossed.filter(({ m }) => m.k === 'sip-request').length, 20)
  assert.equal(flooder.responses.filter((r) => r.status === 503).length, 480)
  assert.equal(headerOf(flooder.responses.find((r) => r.status === 503)!, 'Retry-After'), '5')
  assert.equal(w.codes().filter((c) => c === 'RELAY_FLOOD').length, 480)
  const other = w.phone({ port: 6002, callId: 'other' })
  other.invite({ uri: 'sip:2003@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(other.last.status, 486)
  flooder.invite({ uri: 'sip:112@127.0.0.1', body: '' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests.findLast((r) => r.method === 'INVITE')!.uri.text, 'sip:112@127.0.0.1', 'a call for help gets through in the middle of it')
})

test('a client that ignores its own limits is cut off at the server; others are not', () => {
  const w = relayWorld()
  const other = w.another('bob-key')
  w.pbx.answer = () => ({ status: 486 })
  for (let i = 0; i < 60; i++) w.phone({ address: `192.0.2.${i}`, port: 6000, callId: `f${i}` }).invite({ uri: 'sip:2002@127.0.0.1', body: '' })
  w.clock.advanceSync(100)
  assert.equal(w.pbx.requests.filter((r) => r.method === 'INVITE').length, 40)
  assert.equal(w.codes().filter((c) => c === 'RELAY_FLOOD').length, 40, 'told at the server and at the client')
  const bob = other.phone({ port: 6300, callId: 'bob', user: 'bob' })
  bob.invite({ uri: 'sip:2002@127.0.0.1', body: '' })
  w.clock.advanceSync(50)
  assert.equal(bob.last.status, 486)
})

test('one client guesses passwords: after five it is not asked any more, while others register', () => {
  const w = relayWorld()
  const other = w.another('bob-key')
  w.pbx.answer = (r) => (r.from.uri.text.includes('bob') ? { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] } : { status: 401, headers: [challenge] })
  const guesser = w.phone()
  for (let i = 0; i < 12; i++) {
    guesser.send('REGISTER', { uri: 'sip:pbx.example', headers: [authorization] })
    w.clock.advanceSync(1000)
  }
  assert.equal(w.pbx.requests.length, 5)
  assert.equal(guesser.last.status, 403)
  assert.match(headerOf(guesser.last, 'Warning')!, /Too many wrong passwords/)
  const bob = other.phone({ port: 6300, callId: 'bob', user: 'bob' })
  bob.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:bob@pbx.example>', headers: [authorization] })
  w.clock.advanceSync(50)
  assert.equal(bob.last.status, 200)
  guesser.invite({ uri: 'sip:112@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests.findLast((r) => r.method === 'INVITE')!.uri.text, 'sip:112@127.0.0.1', 'emergency calls pass')
  w.clock.advanceSync(130_000)
  guesser.send('REGISTER', { uri: 'sip:pbx.example', headers: [authorization] })
  w.clock.advanceSync(50)
  assert.equal(guesser.last.status, 401, 'later it may try again')
})

test('a password with an old nonce is not a guess, nor is the first request without one', () => {
  const w = relayWorld()
  w.pbx.answer = () => ({ status: 401, headers: [`${challenge}, stale=true`] })
  const phone = w.phone()
  for (let i = 0; i < 20; i++) {
    phone.send('REGISTER', { uri: 'sip:pbx.example', headers: i % 2 === 0 ? [authorization] : [] })
    w.clock.advanceSync(1000)
  }
  assert.equal(w.pbx.requests.length, 20)
  w.pbx.answer = () => ({ status: 401, headers: [challenge] })
  for (let i = 0; i < 20; i++) {
    phone.send('REGISTER', { uri: 'sip:pbx.example' })
    w.clock.advanceSync(1000)
  }
  phone.send('REGISTER', { uri: 'sip:pbx.example', headers: [authorization] })
  w.clock.advanceSync(1000)
  assert.equal(w.pbx.requests.length, 41, 'its first password is asked for all the same')
})

test('a PBX that refuses a wrong password with 403 is asked five times as well; a 403 to a call is none', () => {
  const w = relayWorld()
  w.pbx.answer = () => ({ status: 403 })
  const phone = w.phone()
  for (let i = 0; i < 10; i++) {
    phone.send('MESSAGE', { uri: 'sip:2002@127.0.0.1', headers: [authorization] })
    w.clock.advanceSync(1000)
  }
  assert.equal(w.pbx.requests.length, 10)
  for (let i = 0; i < 10; i++) {
    phone.send('REGISTER', { uri: 'sip:pbx.example', headers: [authorization] })
    w.clock.advanceSync(1000)
  }
  assert.equal(w.pbx.requests.length, 15)
})

test('another\'s name in From: an extension that somebody registered is his alone', () => {
  const w = relayWorld()
  const other = w.another('mallory-key')
  const alice = w.phone()
  w.register(alice)
  const mallory = other.phone({ port: 6660, callId: 'mallory', user: 'alice' })
  w.pbx.answer = w.answering
  const before = w.pbx.requests.length
  const branch = mallory.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(mallory.last.status, 403)
  assert.match(headerOf(mallory.last, 'Warning')!, /registered by somebody else/)
  assert.equal(w.pbx.requests.length, before)
  assert.ok(w.codes().includes('RELAY_OTHERS_NAME'))
  mallory.send('ACK', { branch })
  const own = w.phone({ port: 6004, callId: 'second' })
  own.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(own.last.status, 200, 'alice herself calls')
  w.clock.advanceSync(301_000)
  mallory.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests.at(-1)!.callId, 'mallory', 'when nobody holds it the PBX asks for the password')
})

test('a phone cannot assert another identity than its From', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = w.answering
  phone.invite({ uri: 'sip:2002@127.0.0.1', headers: ['P-Asserted-Identity: <sip:boss@pbx>', 'Remote-Party-ID: <sip:boss@pbx>;party=calling'] })
  w.clock.advanceSync(50)
  assert.equal(headerOf(w.pbx.requests[0]!, 'P-Asserted-Identity'), undefined)
  assert.equal(headerOf(w.pbx.requests[0]!, 'Remote-Party-ID'), undefined)
})

test('a host of the LAN cannot draw a registered phone\'s calls to itself by its Contact', () => {
  const w = relayWorld()
  const alice = w.phone({ address: '192.0.2.10', port: 6000 })
  const contact = w.register(alice)
  const thief = w.phone({ address: '192.0.2.66', port: 6000, callId: 'thief' })
  w.pbx.answer = () => ({ status: 401, headers: [challenge] })
  thief.raw(`REGISTER sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.66:6000;branch=z9hG4bKt;rport\r\nMax-Forwards: 70\r\nFrom: <sip:alice@pbx>;tag=9\r\nTo: <sip:alice@pbx>\r\nCall-ID: thief\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@192.0.2.10:6000>\r\nContent-Length: 0\r\n\r\n`)
  w.clock.advanceSync(50)
  w.pbx.invite({ uri: contact, body: '' })
  w.clock.advanceSync(50)
  assert.equal(alice.requests.at(-1)!.method, 'INVITE')
  assert.deepEqual(thief.requests, [])
})

test('who dials into the token of a phone from beside the PBX is not heard by anybody', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.register(phone)
  w.pbx.invite({ uri: 'sip:stc000000000000000000000000@10.0.0.1:5080', body: '' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.last.status, 480)
  assert.deepEqual(phone.requests, [])
  w.pbx.send('ACK', { branch: 'z9hG4bKfrom-pbx.0' })
  assert.deepEqual(w.left(), nothingLeft)
})

test('a flood of requests that are no calls is cut off too, and an extension that was given up is anybody\'s again', () => {
  const w = relayWorld()
  const flooder = w.phone({ address: '192.0.2.50', port: 6000, callId: 'flood' })
  for (let i = 0; i < 300; i++) flooder.send('MESSAGE', { uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>' })
  w.clock.advanceSync(200)
  assert.equal(w.crossed.filter(({ m }) => m.k === 'sip-request').length, 100)
  assert.equal(flooder.responses.filter((r) => r.status === 503).length, 200)

  const desk = relayWorld()
  const bob = desk.another('bob-key').phone({ port: 6300, callId: 'bob', user: 'bob' })
  const phone = desk.phone()
  desk.register(phone)
  bob.invite({ uri: 'sip:2002@127.0.0.1', from: 'alice', body: '' })
  desk.clock.advanceSync(50)
  assert.equal(bob.last.status, 403)
  desk.pbx.answer = () => ({ status: 200 })
  phone.raw(['REGISTER sip:pbx.example SIP/2.0', 'Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKgone;rport', 'Max-Forwards: 70', 'From: <sip:alice@pbx.example>;tag=f', 'To: <sip:alice@pbx.example>', 'Call-ID: call-6000', 'CSeq: 9 REGISTER', 'Contact: *', 'Expires: 0', 'Content-Length: 0', '', ''].join('\r\n'))
  desk.clock.advanceSync(50)
  desk.pbx.answer = () => ({ status: 401, headers: [challenge] })
  bob.invite({ uri: 'sip:2002@127.0.0.1', from: 'alice', body: '' })
  desk.clock.advanceSync(50)
  assert.equal(bob.last.status, 401, 'the PBX asks for the password')
})

test('a registration that the PBX has not taken yet does not move a phone, not even from its own address', () => {
  const w = relayWorld()
  const phone = w.phone({ address: '192.0.2.10', port: 6000 })
  const token = w.register(phone)
  const other = w.phone({ address: '192.0.2.10', port: 6100, callId: 'other', user: phone.user })
  w.pbx.answer = () => ({ status: 401, headers: [challenge] })
  other.raw(['REGISTER sip:pbx.example SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.10:6100;branch=z9hG4bKother;rport', 'Max-Forwards: 70', 'From: <sip:alice@pbx.example>;tag=o', 'To: <sip:alice@pbx.example>', 'Call-ID: other', 'CSeq: 1 REGISTER', 'Contact: <sip:alice@192.0.2.10:6000>', 'Content-Length: 0', '', ''].join('\r\n'))
  w.clock.advanceSync(50)
  assert.equal(other.last.status, 401)
  w.pbx.invite({ uri: token, body: '' })
  w.clock.advanceSync(50)
  assert.deepEqual([phone.requests.length, other.requests.length], [1, 0])
})

test('a made-up To tag opens nothing: passwords are guessed no faster, and floods are cut off at both halves', () => {
  const w = relayWorld()
  w.pbx.answer = (r) => (r.method === 'REGISTER' ? { status: 401, headers: [challenge] } : { status: 200 })
  const guesser = w.phone()
  for (let i = 0; i < 12; i++) {
    guesser.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:alice@pbx.example>;tag=a', headers: [authorization] })
    w.clock.advanceSync(1000)
  }
  assert.equal(w.pbx.requests.length, 5)
  assert.equal(guesser.last.status, 403)

  for (const method of ['MESSAGE', 'SUBSCRIBE', 'NOTIFY']) {
    const fresh = relayWorld()
    const flooder = fresh.phone({ address: '192.0.2.50', port: 6000, callId: 'flood' })
    for (let i = 0; i < 300; i++) flooder.send(method, { uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>;tag=a' })
    fresh.clock.advanceSync(200)
    assert.deepEqual([flooder.responses.filter((r) => r.status === 503).length, fresh.pbx.requests.length], [200, 100], method)
  }
  for (let i = 0; i < 300; i++) w.phone({ address: `192.0.2.${i % 250}`, port: 6000 + i, callId: `m${i}` }).send('MESSAGE', { uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>;tag=a' })
  w.clock.advanceSync(200)
  assert.ok(w.pbx.requests.filter((r) => r.method === 'MESSAGE').length <= 200, 'a client that has no limits of its own')
})

test('another\'s name with a made-up To tag is refused; what belongs to a call or subscription that stands is not counted', () => {
  const w = relayWorld()
  w.register(w.phone())
  const mallory = w.another('mallory-key').phone({ port: 6660, callId: 'mallory', user: 'alice' })
  const before = w.pbx.requests.length
  mallory.send('MESSAGE', { uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>;tag=a' })
  w.clock.advanceSync(50)
  assert.deepEqual([mallory.last.status, w.pbx.requests.length], [403, before])

  const phone = w.phone({ port: 6004, callId: 'call' })
  const { target } = w.call(phone)
  for (let i = 0; i < 300; i++) phone.send('INFO', { uri: target })
  w.clock.advanceSync(200)
  assert.equal(phone.responses.filter((r) => r.cseq.method === 'INFO' && r.status === 200).length, 300)
})

test('a call for help is no way to try passwords: past five wrong ones it has three more, then one a minute, and goes through without the others', () => {
  const w = relayWorld()
  w.pbx.answer = (r) => (headerOf(r, 'Authorization') === undefined ? { status: 486 } : { status: 401, headers: [challenge] })
  const guesser = w.phone()
  for (let i = 0; i < 12; i++) {
    const branch = guesser.invite({ uri: 'sip:112@127.0.0.1', to: '<sip:112@127.0.0.1>', body: '', headers: [authorization, 'proxy-authorization: Digest username="bob", response="00"'] })
    w.clock.advanceSync(1000)
    guesser.send('ACK', { branch, to: guesser.last.to.text })
  }
  const calls = w.pbx.requests.filter((r) => r.method === 'INVITE')
  assert.equal(calls.length, 12, 'help itself goes through')
  assert.deepEqual(calls.map((r) => r.headers.filter((h) => /authorization/i.test(h.name)).length), [2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0])
})

test('one phone with a wrong password does not silence the others of its client: whose password the PBX took last may go on', () => {
  const w = relayWorld()
  const password = (user: string, more = ''): string => authorization.replace('alice', user) + more
  let right = 'alice'
  w.pbx.answer = (r) => (headerOf(r, 'Authorization')?.includes(`username="${right}"`) !== true ? { status: 401, headers: [challenge] } : r.method === 'REGISTER' ? { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] } : { status: 486 })
  const alice = w.phone()
  const bob = w.phone({ port: 6002, callId: 'bob', user: 'bob' })
  const register = (phone: typeof alice, headers: readonly string[]): number => {
    phone.send('REGISTER', { uri: 'sip:pbx.example', to: `<sip:${phone.user}@pbx.example>`, headers: ['Expires: 300', ...headers] })
    w.clock.advanceSync(100)
    return phone.last.status
  }
  const call = (phone: typeof alice, headers: readonly string[], from = phone.user): number => {
    const branch = phone.invite({ uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>', from, body: '', headers })
    w.clock.advanceSync(100)
    phone.send('ACK', { branch, to: phone.last.to.text })
    return phone.last.status
  }
  assert.equal(register(alice, [password('alice')]), 200)
  for (let i = 0; i < 6; i++) register(bob, [password('bob')])
  assert.equal(bob.last.status, 403)
  assert.equal(call(alice, [password('alice')]), 486, 'the PBX itself answered')
  assert.equal(register(alice, [password('alice')]), 200)
  assert.equal(call(alice, [password('bob')]), 403, 'another name for one extension')
  right = 'nobody'
  for (let i = 0; i < 5; i++) assert.equal(call(alice, [password('alice')]), 401)
  right = 'alice'
  assert.equal(call(alice, [password('alice')]), 403, 'it was wrong five times: it waits like any other')
  assert.equal(call(alice, []), 401, 'without a password the PBX is asked')
  assert.equal(call(bob, [password('bob')]), 403)
  // What cannot be read counts as one name of its own.
  for (const headers of [[password('alice'), `Proxy-${password('bob')}`], [password('alice', ', username="bob"')], ['Authorization: Basic YWxpY2U6eA==']]) {
    right = 'nobody'
    const carol = w.another(`key-${headers.length}-${headers[0]!.length}`).phone({ port: 6300, callId: `carol-${headers[0]!.length}-${headers.length}`, user: 'carol' })
    for (let i = 0; i < 5; i++) assert.equal(register(carol, headers), 401)
    assert.equal(register(carol, headers), 403)
  }
})

test('one phone with an old password after a restart, when nobody has registered yet: the right passwords of its client are taken, and it goes on to be asked five times and once every two minutes', () => {
  const w = relayWorld()
  w.pbx.answer = (r) => (headerOf(r, 'Authorization')?.includes('username="bob"') === true ? { status: 401, headers: [challenge] } : { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] })
  const phones = new Map<string, ReturnType<typeof w.phone>>()
  const register = (user: string): number => {
    const phone = phones.get(user) ?? w.phone({ port: 6000 + user.length, callId: user, user })
    phones.set(user, phone)
    phone.send('REGISTER', { uri: 'sip:pbx.example', to: `<sip:${user}@pbx.example>`, headers: ['Expires: 300', authorization.replace('alice', user)] })
    w.clock.advanceSync(100)
    return phone.last.status
  }
  for (let i = 0; i < 12; i++) register('bob')
  assert.equal(register('bob'), 403)
  for (let i = 0; i < 30; i++) assert.equal(register(`${'x'.repeat(i + 4)}`), 200)
  const asked = (): number => w.pbx.requests.filter((r) => headerOf(r, 'Authorization')?.includes('"bob"') === true).length
  assert.equal(asked(), 5)
  for (let i = 0; i < 61; i++) {
    register('bob')
    w.clock.advanceSync(9900)
  }
  assert.equal(asked(), 10, 'ten minutes later')
})

test('thirty phones whose PBX does not say that a nonce was old register every minute; a guess is not made good by the registration of another', () => {
  const w = relayWorld()
  let fresh = true
  w.pbx.answer = (r) => (!fresh || headerOf(r, 'Authorization')?.includes('"bob"') === true ? { status: 401, headers: [challenge] } : { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] })
  const send = (phone: ReturnType<typeof w.phone>, user: string): number => {
    phone.send('REGISTER', { uri: 'sip:pbx.example', to: `<sip:${phone.user}@pbx.example>`, headers: ['Expires: 300', authorization.replace('alice', user)] })
    w.clock.advanceSync(20)
    return phone.last.status
  }
  const phones = Array.from({ length: 30 }, (_, i) => w.phone({ port: 6100 + i, callId: `phone-${i}`, user: `user-${i}` }))
  for (let minute = 0; minute < 15; minute++) {
    for (const p of phones) {
      fresh = false
      assert.equal(send(p, p.user), 401)
      fresh = true
      assert.equal(send(p, p.user), 200)
      assert.ok([401, 403].includes(send(p, 'bob')))
    }
    w.clock.advanceSync(58_000)
  }
  assert.ok(w.pbx.requests.filter((r) => headerOf(r, 'Authorization')?.includes('"bob"') === true).length <= 5 + 15)
})

test('a client that guesses under many names is asked forty times and then every half minute; innocents hear that they may come again, and get in', () => {
  const w = relayWorld()
  let right = 'nobody'
  w.pbx.answer = (r) => (headerOf(r, 'Authorization')?.includes(`username="${right}"`) !== true ? { status: 401, headers: [challenge] } : { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] })
  const guesser = w.another('mallory-key').phone({ port: 6660, callId: 'mallory', user: 'mallory' })
  // All at once: what is not answered yet counts.
  for (let i = 0; i < 19; i++) for (let k = 0; k < 10; k++) guesser.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:mallory@pbx.example>', headers: [authorization.replace('alice', `name-${i}`)] })
  w.clock.advanceSync(200)
  assert.equal(w.pbx.requests.length, 40)
  const innocent = w.another('mallory-key').phone({ port: 6661, callId: 'innocent', user: 'alice' })
  right = 'alice'
  const register = (): void => {
    innocent.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:alice@pbx.example>', headers: ['Expires: 300', authorization] })
    w.clock.advanceSync(100)
  }
  register()
  assert.deepEqual([innocent.last.status, headerOf(innocent.last, 'Retry-After')], [503, '5'])
  for (let i = 0; i < 7 && innocent.last.status === 503; i++) {
    w.clock.advanceSync(4900)
    register()
  }
  assert.equal(innocent.last.status, 200)
})

test('a guess counts although the same request comes without a password and is answered first', () => {
  for (const name of [() => 'alice', (i: number) => `name-${i}`]) {
    const w = relayWorld()
    w.pbx.answer = (r) => (headerOf(r, 'Authorization') === undefined ? { status: 401, headers: [challenge] } : undefined)
    const guesser = w.phone()
    for (let i = 1; i <= 60; i++) {
      for (const headers of [[authorization.replace('alice', name(i))], []]) guesser.send('REGISTER', { uri: 'sip:pbx.example', cseq: i, headers })
      w.clock.advanceSync(150)
    }
    const guesses = new Set(w.pbx.requests.filter((r) => headerOf(r, 'Authorization') !== undefined).map((r) => r.cseq.number))
    assert.equal(guesses.size, name(0) === 'alice' ? 5 : 40)
  }
})

test('wrong passwords that nothing was taken for give nothing back: forty guesses are not forty again after an own registration', () => {
  const w = relayWorld()
  let right = 'mallory'
  w.pbx.answer = (r) => (headerOf(r, 'Authorization')?.includes(`username="${right}"`) !== true ? { status: 401, headers: [challenge] } : { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] })
  const mallory = w.phone({ user: 'mallory' })
  const send = (user: string): void => void mallory.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:mallory@pbx.example>', headers: ['Expires: 300', authorization.replace('alice', user)] })
  const spray = (round: number): number => {
    const before = w.pbx.requests.length
    for (let i = 0; i < 60; i++) send(`name-${round}-${i}`)
    w.clock.advanceSync(100)
    return w.pbx.requests.length - before
  }
  send('mallory')
  w.clock.advanceSync(100)
  assert.equal(mallory.last.status, 200)
  assert.equal(spray(1), 40)
  w.clock.advanceSync(5000)
  right = 'nobody'
  for (let i = 0; i < 40; i++) send('mallory')
  w.clock.advanceSync(121_000)
  right = 'mallory'
  send('mallory')
  w.clock.advanceSync(100)
  assert.equal(mallory.last.status, 200)
  const more = spray(2)
  assert.ok(more <= 5, `${more} more guesses after two minutes`)
})

test('a host that uses five hundred addresses does not drive out a phone that is registered', () => {
  const w = relayWorld()
  const alice = w.phone({ address: '192.0.2.10', port: 6000 })
  const contact = w.register(alice)
  w.pbx.answer = () => ({ status: 404 })
  for (let i = 0; i < 520; i++) {
    w.phone({ address: `198.51.100.${i % 250}`, port: 7000 + i, callId: `stranger-${i}` }).send('MESSAGE', { uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>' })
    if (i % 20 === 0) w.clock.advanceSync(1000)
  }
  w.pbx.invite({ uri: contact, body: '' })
  w.clock.advanceSync(50)
  assert.equal(alice.requests.at(-1)?.method, 'INVITE')
})

test('one phone guesses: another one of its client, which never registered, is asked for its password and gets help and the end of its call all the same', () => {
  const w = relayWorld()
  w.pbx.answer = (r) => (headerOf(r, 'Authorization')?.includes('username="alice"') === true ? w.answering(r) : { status: 401, headers: [challenge] })
  const bob = w.phone({ port: 6002, callId: 'bob', user: 'bob' })
  for (let i = 0; i < 7; i++) {
    bob.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:bob@pbx.example>', headers: [authorization.replace('alice', 'bob')] })
    w.clock.advanceSync(100)
  }
  assert.equal(bob.last.status, 403)
  const alice = w.phone()
  const to = '<sip:112@127.0.0.1>'
  const branch = alice.invite({ uri: 'sip:112@127.0.0.1', to })
  w.clock.advanceSync(100)
  assert.equal(alice.last.status, 401)
  alice.send('ACK', { branch, to: alice.last.to.text })
  alice.invite({ uri: 'sip:112@127.0.0.1', to, headers: [authorization] })
  w.clock.advanceSync(100)
  assert.equal(alice.last.status, 200)
  const target = /<([^>]+)>/.exec(headerOf(alice.last, 'Contact')!)![1]!
  alice.send('ACK', { uri: target })
  for (const [headers, status] of [[[], 401], [[authorization], 200]] as const) {
    alice.send('BYE', { uri: target, headers })
    w.clock.advanceSync(100)
    assert.deepEqual([alice.last.cseq.method, alice.last.status], ['BYE', status])
  }
  assert.deepEqual(w.left(), nothingLeft)
})

test('five hundred registered phones do not drive out one that only calls, and keep no places after their registrations', () => {
  const w = relayWorld()
  for (let i = 0; i < 500; i++) w.register(w.phone({ port: 7000 + i, callId: `r${i}`, user: `u${i}` }))
  const caller = w.phone()
  const { invite } = w.call(caller)
  w.inside(invite, 'BYE')
  w.clock.advanceSync(50)
  assert.equal(caller.requests.at(-1)?.method, 'BYE')
  assert.equal(w.relay.registered.length, 499)
  w.clock.advanceSync(301_000)
  assert.deepEqual(w.relay.registered, [])
})
