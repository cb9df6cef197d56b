/** A provider that wants an open call of the page's phone to be shown as a sealed one, or a call that is to be sealed to have no gate. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineAtProvider } from '../kit/line-provider.ts'
import { headerOf } from '../kit/sip-phone.ts'

test('control: a call of the page\'s phone that is sealed is shown as that', async () => {
  const w = lineAtProvider(() => true)
  await w.pass(200)
  const { own } = await w.connected()
  const shower = w.client.shownBy(own)
  assert.notEqual(shower, own)
  assert.equal(shower.roster.sealedCall?.state, 'sealed')
})

test('a second call under the Call-ID of an open one does not lend it its seal, and is refused', async () => {
  const w = lineAtProvider((outgoing) => !outgoing)
  await w.pass(200)
  const { own, invite } = await w.connected()
  w.shown.length = 0
  w.rings(w.contact(), invite.callId, 1)
  await w.pass(300)
  assert.ok(w.shown.length > 0, 'the other call was there')
  assert.ok(!w.shown.includes(true))
  assert.equal(w.client.shownBy(own), own)
  assert.ok(w.provider.responses.some((r) => r.status === 482))
})

test('a sealed call of a softphone under the Call-ID of an open one of the page: each is shown as what it is', async () => {
  const w = lineAtProvider((outgoing) => !outgoing)
  await w.pass(200)
  const softphone = await w.softphone()
  const { own, invite } = await w.connected()
  w.rings(softphone, invite.callId, 1)
  await w.pass(300)
  assert.ok(w.provider.responses.some((r) => r.status === 200 && r.cseq.method === 'INVITE'), 'the softphone has taken it')
  assert.deepEqual(w.client.calls.map((c) => c.roster.sealedCall?.state), [undefined, 'sealed'])
  assert.equal(w.client.shownBy(own), own)
  assert.ok(!w.shown.includes(true))
})

test('of several calls that could be it, as forks are, none is believed', async () => {
  const w = lineAtProvider(() => true)
  await w.pass(200)
  const softphone = await w.softphone()
  const { own } = await w.connected()
  const [fork] = w.client.calls.filter((c) => c.line === undefined)
  assert.equal(w.client.shownBy(own), fork)
  w.rings(softphone, 'another', 1)
  await w.pass(300)
  const another = w.client.calls.find((c) => c.line === undefined && c !== fork)!
  another.sipCalls = fork!.sipCalls
  assert.equal(w.client.shownBy(own), own)
  another.input({ kind: 'dialog', news: { kind: 'over' } })
  assert.equal(w.client.shownBy(own), fork)
})

test('of a call that is over nothing is left to be said of the next, also where nobody answers the BYE', async () => {
  const w = lineAtProvider(() => true)
  await w.pass(200)
  const { own } = await w.connected()
  assert.notEqual(w.client.shownBy(own), own)
  const { answer } = w.provider
  w.provider.answer = (r) => (r.method === 'BYE' ? undefined : answer(r))
  w.browser.hangup()
  await w.pass(1000)
  assert.deepEqual(w.client.calls.length, 0)
})

test('more calls at once than are judged: refused before anybody rings, but for help', async () => {
  const w = lineAtProvider(() => true)
  await w.pass(200)
  const desk = await w.desk()
  const contact = w.contact()
  desk.answer = () => ({ status: 180 })
  for (let n = 0; n < 70; n++) w.rings(contact, `flood${n}`, n)
  await w.pass(50)
  assert.equal(desk.requests.filter((r) => r.method === 'INVITE').length, 64)
  assert.equal(w.provider.responses.filter((r) => r.status === 486).length, 6)
  assert.equal(w.reports.filter((c) => c === 'CLIENT_BUSY').length, 5, 'of one kind five are told')
  const asked = w.invites().length
  desk.invite({ uri: 'sip:104@provider.example', to: '<sip:104@provider.example>' })
  await w.pass(50)
  assert.equal(desk.last.status, 486)
  assert.equal(w.invites().length, asked)
  desk.invite({ uri: 'sip:112@provider.example', to: '<sip:112@provider.example>' })
  await w.pass(50)
  assert.equal(w.invites().length, asked + 1)
})

test('the last call that there is room for is one of the page\'s phone: asked for its password it is not in its own way, and it is judged', async () => {
  const w = lineAtProvider(() => true)
  await w.pass(200)
  const desk = await w.desk()
  const contact = w.contact()
  desk.answer = () => ({ status: 180 })
  for (let n = 0; n < 63; n++) w.rings(contact, `ringing${n}`, n)
  await w.pass(50)
  assert.equal(w.client.calls.length, 63)
  const { answer } = w.provider
  w.provider.answer = (r) => (r.method === 'INVITE' && headerOf(r, 'Proxy-Authorization') === undefined ? { status: 407, headers: ['Proxy-Authenticate: Digest realm="provider.example", nonce="n", algorithm=MD5, qop="auth"'] } : answer(r))
  const { own } = await w.connected()
  assert.ok(!w.reports.includes('CLIENT_BUSY'))
  assert.notEqual(w.client.shownBy(own), own)
  assert.equal(w.client.shownBy(own).roster.sealedCall?.state, 'sealed')
  const asked = w.invites().length
  desk.invite({ uri: 'sip:104@provider.example', to: '<sip:104@provider.example>' })
  await w.pass(50)
  assert.deepEqual([desk.last.status, w.invites().length], [486, asked])
})
