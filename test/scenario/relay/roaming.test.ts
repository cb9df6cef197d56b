/** A client at a provider whose machine changes its network, in virtual time: its line, its call, and who calls it afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must, ok } from '../../../src/base/result.ts'
import type { PbxTransport } from '../../../src/telephony/index.ts'
import { RoamingWay } from '../../../src/telephony/index.ts'
import { lineAtProvider } from '../../kit/line-provider.ts'
import { pbxAt, uriOf } from '../../kit/relay-world.ts'
import { headerOf, ScriptedPhone, sdpOf, SimSipTransport } from '../../kit/sip-phone.ts'

/** From 10.0.0.1, and after the move from 172.16.0.9, where the same provider is. */
async function roaming() {
  const net = { route: '10.0.0.1' as string | undefined, own: ['10.0.0.1'] }
  const ways: RoamingWay[] = []
  let there: PbxTransport | undefined
  let before: SimSipTransport | undefined
  const w = lineAtProvider(() => false, undefined, (clock, trunk) => {
    before = trunk as unknown as SimSipTransport
    const other = new SimSipTransport('UDP', clock, { address: '172.16.0.9', port: 5081 })
    there = Object.assign(other, { way: () => ({ transport: 'UDP' as const, local: other.local, remote: pbxAt }) })
    // A socket at an address that is gone.
    const first: PbxTransport = { name: 'UDP', local: trunk.local, way: () => trunk.way(), listen: (l) => trunk.listen(l), close: () => {}, send: (data, flow) => (net.own.includes('10.0.0.1') ? trunk.send(data, flow) : true) }
    ways.push(new RoamingWay({
      name: 'UDP', scheduler: clock, resolve: () => Promise.resolve(ok([pbxAt])), route: () => Promise.resolve(net.route), owns: (a) => net.own.includes(a), tell: () => {},
      open: (_places, local) => Promise.resolve(ok(local === '10.0.0.1' ? first : there!)),
    }))
    return ways[0]!
  })
  const provider = new ScriptedPhone(there as unknown as SimSipTransport, w.clock, { ...pbxAt, user: 'provider', callId: 'from-provider-2' })
  provider.answer = w.provider.answer
  must(await ways[0]!.start())
  await w.pass(100)
  /** It sends from there, although it is asked at another port. */
  const elsewhere = new ScriptedPhone(before!, w.clock, { ...pbxAt, port: 5099, user: 'provider', callId: 'from-elsewhere' })
  return { ...w, provider2: provider, elsewhere, net, way: ways[0]!, move: () => Object.assign(net, { route: '172.16.0.9', own: ['172.16.0.9'] }) }
}
const methods = (p: ScriptedPhone): string[] => p.requests.map((r) => r.method)

test('the line registers from where the machine is now, at once, and is called there', async () => {
  const w = await roaming()
  const line = w.client.upstream!.line!
  assert.ok(line.registered)
  assert.match(headerOf(w.provider.requests.findLast((r) => r.method === 'REGISTER')!, 'Contact')!, /@10\.0\.0\.1:5080/)
  w.move()
  await w.pass(2500)
  assert.deepEqual([methods(w.provider2), line.registered], [['REGISTER'], true])
  const contact = headerOf(w.provider2.requests[0]!, 'Contact')!
  assert.match(contact, /@172\.16\.0\.9:5081/)
  w.provider2.invite({ uri: uriOf(contact), to: `<${uriOf(contact)}>` })
  await w.pass(100)
  assert.equal(w.provider2.last.status, 180)
})

test('a call over the address that is gone ends here and at the provider, and the next one goes out from the new', async () => {
  const w = await roaming()
  const { own } = await w.connected()
  assert.ok(w.client.calls.includes(own))
  w.move()
  await w.pass(2500)
  assert.equal(w.client.calls.includes(own), false)
  assert.ok(methods(w.provider2).includes('BYE'), methods(w.provider2).join())
  assert.ok(w.reports.includes('RELAY_MOVED'))
  w.browser.dial('105')
  await w.pass(300)
  const invite = w.provider2.requests.findLast((r) => r.method === 'INVITE')!
  assert.match(new TextDecoder().decode(invite.body), /c=IN IP4 172\.16\.0\.9/, 'media as well')
})

for (const [port, late] of [['elsewhere', false], ['elsewhere', true], ['provider', true]] as const) {
  test(`a phone that rings for the address that is gone stops; the call came from ${port === 'provider' ? 'where the provider is asked' : 'another port of it'}${late ? '; one that was just being answered is hung up' : ''}`, async () => {
    const w = await roaming()
    const desk = await w.desk()
    const contact = w.contact()
    desk.answer = (r) => {
      if (late && r.method === 'CANCEL') desk.respond(desk.requests.find((i) => i.method === 'INVITE')!, 200, [], sdpOf(['m=audio 17000 RTP/AVP 0']))
      return { status: r.method === 'INVITE' ? 180 : 200 }
    }
    w[port].invite({ uri: contact, to: `<${contact}>` })
    await w.pass(100)
    assert.deepEqual([methods(desk), w[port].last.status], [['INVITE'], 180])
    w.move()
    await w.pass(2500)
    assert.deepEqual(methods(desk), late ? ['INVITE', 'CANCEL', 'ACK', 'BYE'] : ['INVITE', 'CANCEL'])
    assert.ok(!w.reports.includes('RELAY_MISMATCH'), w.reports.join())
  })
}

test('without any network a call hears at once that there is no way, and five seconds of it end none that stands', async () => {
  const w = await roaming()
  const { own } = await w.connected()
  Object.assign(w.net, { route: undefined, own: [] })
  await w.pass(2500)
  const desk = await w.desk()
  desk.invite({ uri: 'sip:2002@provider.example' })
  await w.pass(50)
  assert.equal(desk.last.status, 503)
  await w.pass(2500)
  Object.assign(w.net, { route: '10.0.0.1', own: ['10.0.0.1'] })
  await w.pass(2500)
  assert.ok(w.client.calls.includes(own))
  assert.equal(w.reports.includes('RELAY_MOVED'), false)
})
