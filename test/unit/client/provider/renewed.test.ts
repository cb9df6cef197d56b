/** Calls through a provider that are described anew, by either side: what stands is what was answered, in the answer's order. Virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallKind } from '../../../../src/client/call.ts'
import { lineAtProvider } from '../../../kit/line-provider.ts'
import { headerOf, sdpOf } from '../../../kit/sip-phone.ts'
import { uriOf } from '../../../kit/relay-world.ts'

const audio = (types: string): string => sdpOf([`m=audio 17000 RTP/AVP ${types}`])
const G711 = '0 8'

async function calling(answer = G711, offered = true) {
  const news: string[] = []
  const kind: CallKind = {
    claims: (t) => t.kind === 'call',
    start: () => ({
      step: (input) => {
        // Whether the phone holds is said with every description of its own.
        if (input.kind === 'dialog' && input.news.kind !== 'hold') news.push(input.news.kind === 'media' ? input.news.codec : input.news.kind)
        return { out: [] }
      },
    }),
  }
  const w = lineAtProvider(() => true, kind)
  w.client.start()
  await w.pass(300)
  const phone = await w.desk()
  w.provider.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: audio(answer) } : { status: 200 })
  phone.invite({ uri: 'sip:102@provider.example', to: '<sip:102@provider.example>', body: offered ? audio(G711) : '' })
  await w.pass(300)
  if (!offered) assert.deepEqual(news, ['answered'], 'an offer in the 200 is answered with the ACK')
  phone.ack(offered ? '' : audio('8 0'))
  await w.pass()
  const invite = w.invites().at(-1)!
  let theirs = 6
  const uri = uriOf(headerOf(phone.last, 'Contact')!)
  return {
    w, phone, news,
    /** The callee describes the call anew, and the phone answers. */
    theirs: async (types: string, reply: { status: number; body?: string }): Promise<void> => {
      news.length = 0
      const before = phone.answer
      phone.answer = (r) => (r.method === 'INVITE' ? undefined : { status: 200 })
      const body = audio(types)
      w.provider.raw([
        `INVITE ${uriOf(headerOf(invite, 'Contact')!)} SIP/2.0`, 'Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKre' + String(++theirs), 'Max-Forwards: 70', `From: ${invite.to.text};tag=t${w.provider.port}`, `To: ${invite.from.text}`, `Call-ID: ${invite.callId}`, `CSeq: ${theirs} INVITE`,
        'Contact: <sip:provider@10.0.0.9:5060>', 'Content-Type: application/sdp', `Content-Length: ${body.length}`, '', body,
      ].join('\r\n'))
      await w.pass()
      assert.deepEqual(news, [], 'nobody has answered')
      const request = phone.requests.findLast((r) => r.method === 'INVITE')!
      phone.respond(request, reply.status, [], reply.body)
      await w.pass()
      phone.answer = before
    },
    ours: async (types: string, reply: { status: number; body?: string }): Promise<void> => {
      news.length = 0
      w.provider.answer = (r) => (r.method === 'INVITE' ? undefined : { status: 200 })
      phone.invite({ uri, body: audio(types) })
      await w.pass()
      assert.deepEqual(news, [], 'nobody has answered')
      w.provider.respond(w.provider.requests.findLast((r) => r.method === 'INVITE')!, reply.status, [], reply.body)
      await w.pass()
    },
  }
}

test('the first answer says which codec it is', async () => {
  for (const [answer, codec] of [['0 8', 'pcmu'], ['8 0', 'pcma'], ['8', 'pcma']] as const) assert.deepEqual((await calling(answer)).news, [codec, 'answered'])
  assert.deepEqual((await calling('0 8', false)).news, ['answered', 'pcma'], 'the answer is in the ACK')
})

test('an offer of the callee in another order: the phone\'s answer counts, and nothing before it', async () => {
  const c = await calling()
  await c.theirs('8 0', { status: 200, body: audio('0 8') })
  assert.deepEqual(c.news, ['pcmu'])
  await c.ours('0 8', { status: 200, body: audio('8 0') })
  assert.deepEqual(c.news, ['pcma'])
})

test('an offer that is refused changes nothing, whoever made it', async () => {
  const c = await calling()
  await c.ours('8', { status: 488 })
  assert.deepEqual(c.news, [])
  await c.theirs('8', { status: 488 })
  assert.deepEqual(c.news, [])
  await c.theirs('8 0', { status: 200, body: audio('0 8') })
  assert.deepEqual(c.news, ['pcmu'])
})
