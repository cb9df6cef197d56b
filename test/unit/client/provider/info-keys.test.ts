/** Keys of phones that send them as INFO, in calls through a provider: a phone, a client with both halves of the relay, a provider. Virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallIn, CallKind } from '../../../../src/client/call.ts'
import type { SealedMedia } from '../../../../src/media/api.ts'
import { lineAtProvider } from '../../../kit/line-provider.ts'
import { headerOf, type ScriptedPhone, sdpOf } from '../../../kit/sip-phone.ts'
import { uriOf } from '../../../kit/relay-world.ts'

type Gate = Pick<SealedMedia, 'sealed' | 'up'>
const RELAY = 'application/dtmf-relay'
const signal = (digit: string): string => `Signal=${digit}\r\nDuration=160\r\n`

/** One call of a phone's, which stands; `gate` is what may pass from `*` on, and before. */
async function calling(first: Gate | undefined, later = first, callee = '102') {
  const digits: string[] = []
  const muted: boolean[] = []
  const kind: CallKind = {
    claims: (t) => t.kind === 'call',
    start: (t, { conference }) => {
      const seal = (gate: Gate | undefined) => ({ kind: 'media', command: { op: 'call.seal', call: conference, sealed: gate && ({ session: 1, codec: 'pcmu', payloadType: 0, fillUp: false, down: gate.up, ...gate } satisfies SealedMedia) } }) as const
      return {
        step: (input: CallIn, now) => {
          if (input.kind === 'mute') muted.push(input.muted)
          const digit = input.kind === 'media' && input.event.op === 'call.digit' && input.event.call === conference ? input.event.digit : undefined
          if (digit !== undefined) digits.push(digit)
          if (input.kind === 'dialog' && input.news.kind === 'over') return { out: [{ kind: 'over', reason: 'the call is over' }] }
          if (input.kind === 'start') return { out: [seal(first), { kind: 'event', event: { kind: 'sealed-call', at: now, number: t.room, state: 'sealed', words: [] } }] }
          return { out: digit === '*' ? [seal(later)] : [] }
        },
      }
    },
  }
  const w = lineAtProvider(() => true, kind)
  w.client.start()
  await w.pass(300)
  const phone = await w.desk()
  phone.invite({ uri: `sip:${callee}@provider.example`, to: `<sip:${callee}@provider.example>`, body: sdpOf(['m=audio 17000 RTP/AVP 0']) })
  await w.pass(300)
  phone.ack()
  await w.pass()
  assert.equal(phone.last.status, 200)
  const within = uriOf(headerOf(phone.last, 'Contact')!)
  const info = async (body: string, type = RELAY): Promise<number> => {
    phone.send('INFO', { uri: within, type, body })
    await w.pass()
    return phone.last.cseq.method === 'INFO' ? phone.last.status : 0
  }
  return { w, phone, digits, muted, info, within, seen: () => w.provider.requests.filter((r) => r.method === 'INFO').length }
}
const hangUp = (phone: ScriptedPhone, uri: string): string => phone.send('BYE', { uri })

test('in a sealed call, and where nothing may pass, keys in INFO are read here and answered here', async () => {
  for (const gate of [{ sealed: true, up: 'pass' }, { sealed: false, up: 'silence' }] as const) {
    const c = await calling(gate)
    assert.equal(await c.info(signal('5')), 200)
    assert.equal(await c.info('10', 'application/dtmf'), 200)
    assert.equal(await c.info(signal('nonsense')), 200, 'what cannot be read may still be a key')
    assert.equal(await c.info('d/7', 'application/vnd.nortelnetworks.digits'), 200)
    assert.deepEqual([c.digits, c.seen()], [['5', '*'], 0])
    assert.equal(await c.info('secret', 'text/plain'), 415, 'whatever it is')
    assert.equal(c.seen(), 0)
    assert.equal(await c.info('<x/>', 'application/media_control+xml'), 200)
    assert.equal(c.seen(), 1, 'which is no key')
    hangUp(c.phone, c.within)
    await c.w.pass(300)
    assert.ok(c.w.provider.requests.some((r) => r.method === 'BYE'), 'the call goes on and ends as before')
  }
})

test('the key that opens a call is ours to its end; what comes after it is the other side\'s', async () => {
  const c = await calling({ sealed: false, up: 'silence' }, { sealed: false, up: 'pass' })
  await c.info(signal('*'))
  assert.deepEqual([c.digits, c.seen()], [['*'], 0])
  await c.info(signal('1'))
  assert.deepEqual([c.digits, c.seen()], [['*', '1'], 1])
})

test('`*1` in INFO mutes a sealed call', async () => {
  const c = await calling({ sealed: true, up: 'pass' })
  await c.info(signal('*'))
  await c.info(signal('1'))
  assert.deepEqual([c.muted, c.seen()], [[true], 0])
})

test('in a plain call, and in one for help, INFO goes on as it is', async () => {
  for (const [gate, callee] of [[undefined, '102'], [{ sealed: false, up: 'pass' }, '102'], [{ sealed: true, up: 'silence' }, '112']] as const) {
    const c = await calling(gate, gate, callee)
    assert.equal(await c.info(signal('5')), 200)
    assert.equal(c.seen(), 1)
    const passed = c.w.provider.requests.find((r) => r.method === 'INFO')!
    assert.deepEqual([headerOf(passed, 'Content-Type'), Buffer.from(passed.body).toString()], [RELAY, signal('5')])
  }
})

test('who only knows the Call-ID presses no keys in a call, and gets nothing through in its name', async () => {
  const c = await calling({ sealed: true, up: 'pass' })
  const [from, to] = [`<sip:101@127.0.0.1>;tag=f${c.phone.port}`, c.phone.to]
  for (const [n, forgedFrom, forgedTo] of [[1, from.replace('tag=f', 'tag=g'), to], [2, from, to.replace('tag=', 'tag=x')], [3, from, to.replace(/;tag=.*/, '')]] as const) {
    c.phone.raw([
      `INFO ${c.within} SIP/2.0`, `Via: SIP/2.0/UDP ${c.phone.address}:${c.phone.port};branch=z9hG4bKforged${n};rport`, 'Max-Forwards: 70', `From: ${forgedFrom}`, `To: ${forgedTo}`, `Call-ID: ${c.phone.callId}`, `CSeq: ${90 + n} INFO`,
      `Content-Type: ${RELAY}`, `Content-Length: ${signal('*').length}`, '', signal('*'),
    ].join('\r\n'))
    await c.w.pass()
    assert.deepEqual([c.phone.last.cseq.method, c.phone.last.status], ['INFO', 481])
  }
  assert.deepEqual([c.digits, c.seen()], [[], 0])
})
