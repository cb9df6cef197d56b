/** At the port where Asterisk asks whom to let in: everything there may be chosen by a caller or by a process of that machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeFault, ok, type Result } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { silentLog } from '../../src/server/index.ts'
import { LimitedLog } from '../../src/server/log.ts'
import type { AgiCall } from '../../src/server/pbx/agi-door.ts'
import { Coupling } from '../../src/server/pbx/coupling.ts'
import type { AmiMessage } from '../../src/protocol/asterisk/index.ts'
import { pbxConfig } from '../../src/server/pbx/config.ts'
import type { Session } from '../../src/server/session.ts'
import { VirtualClock } from '../kit/virtual-clock.ts'

const crypto = createNodeCrypto()
const anna = { id: 's1', keyId: 'a'.repeat(64), peer: { identity: { keyId: 'a'.repeat(64), subject: 'Anna', emails: [], hosts: [] } } } as unknown as Session
const TOKEN = 'stcdeadbeef'

/** A coupling whose relay made one leg, for Anna; what it says to Asterisk is kept. */
async function desk(conferences: Record<string, unknown> = {}, up = true): Promise<{ clock: VirtualClock; coupling: Coupling; secret: () => string }> {
  const clock = new VirtualClock()
  let secret = ''
  const coupling = new Coupling({
    config: pbxConfig.parse({ ami: { secretFile: 'x' }, conferences }), crypto, scheduler: clock, log: silentLog, refusals: new LimitedLog(silentLog, clock),
    guest: (id) => (id === 's1' ? anna : undefined), session: (id) => (id === 's1' ? anna : undefined),
    legs: () => ({ find: (q) => (q.contactUser === TOKEN && q.remote === '127.0.0.1:5080' ? { session: 's1', call: q.callId } : undefined), isOrphan: () => false }), relay: () => undefined,
    action: async (action, ...fields): Promise<Result<readonly AmiMessage[]>> => {
      if (action === 'Setvar') secret = fields.find(([n]) => n === 'Value')![1]
      return ok([])
    },
  })
  if (up) {
    coupling.onUp()
    await clock.advance(1)
  }
  return { clock, coupling, secret: () => secret }
}

interface Asked {
  readonly uniqueId?: string
  readonly channel?: string
  readonly conference?: string
  readonly script?: string
  readonly target?: string
  readonly remote?: string
  readonly callerName?: string
}
/** One question; gives the variables that were set. */
async function ask(coupling: Coupling, a: Asked): Promise<Record<string, string>> {
  const set: Record<string, string> = {}
  const channel: Record<string, string> = { 'CHANNEL(pjsip,call-id)': 'c1', 'CHANNEL(pjsip,target_uri)': a.target ?? 'sip:carl@10.0.0.9:5060', 'CHANNEL(pjsip,remote_addr)': a.remote ?? '10.0.0.9:5060' }
  const call: AgiCall = {
    request: { script: a.script ?? 'stc-admit', uniqueId: a.uniqueId ?? '1.1', channel: a.channel ?? 'PJSIP/carl-1', callerNumber: '200', callerName: a.callerName ?? '', extension: 's', context: 'stc-enter', arguments: [a.conference ?? '800'] },
    ask: async (verb, ...parts) => {
      if (verb === 'GET VARIABLE') return ok({ code: 200, result: channel[parts[0]!] === undefined ? '0' : '1', ...(channel[parts[0]!] === undefined ? {} : { data: channel[parts[0]!]! }) })
      set[parts[0]!] = parts[1]!
      return ok({ code: 200, result: '1' })
    },
  }
  await coupling.admit(call)
  return set
}
const dialplan = (secret: string, uniqueId: string, conference: string): string => Buffer.from(crypto.hash('sha1', Buffer.from(`${secret}/${uniqueId}/${conference}/${secret}`))).toString('hex')

test('the control: who may enter gets the answer that the dialplan computes', async () => {
  const { coupling, secret } = await desk()
  assert.equal((await ask(coupling, {}))['STC_ADMITTED'], dialplan(secret(), '1.1', '800'))
})

test('an answer opens one call to one conference, and no other start', async () => {
  const { coupling, secret } = await desk()
  const answer = (await ask(coupling, {}))['STC_ADMITTED']
  for (const other of [dialplan(secret(), '1.2', '800'), dialplan(secret(), '1.1', '801'), dialplan((await desk()).secret(), '1.1', '800'), dialplan('', '1.1', '800')]) assert.notEqual(answer, other)
  assert.ok(!answer!.includes(secret()) && secret().length === 64)
})

test('without sight of the conferences nobody gets in; sight that comes back within two seconds is waited for', async () => {
  const anna = { target: `sip:${TOKEN}@127.0.0.1:5080`, remote: '127.0.0.1:5080' }
  const { clock, coupling, secret } = await desk({}, false)
  const blind = ask(coupling, anna)
  await clock.advance(2100)
  assert.deepEqual(await blind, { STC_REFUSED: 'blind' })
  const late = ask(coupling, anna)
  await clock.advance(1900)
  coupling.onUp()
  await clock.advance(1)
  assert.equal((await late)['STC_ADMITTED'], dialplan(secret(), '1.1', '800'))
  // Rules hold all the same, and who waits when the server ends is refused.
  const strict = await desk({ 800: { certificates: 'required' } }, false)
  const plain = ask(strict.coupling, {})
  await strict.clock.advance(500)
  strict.coupling.onUp()
  await strict.clock.advance(1)
  assert.deepEqual(await plain, { STC_REFUSED: 'certificate' })
  strict.coupling.onDown(makeFault('PBX_GONE'))
  const last = ask(strict.coupling, anna)
  await strict.clock.advance(1)
  strict.coupling.stop()
  assert.deepEqual(await last, { STC_REFUSED: 'blind' })
})

test('nobody is Anna by her name, by a guessed token, by her token from elsewhere, or on another kind of channel', async () => {
  const { coupling } = await desk({ 800: { certificates: 'required' } })
  const good = { target: `sip:${TOKEN}@127.0.0.1:5080`, remote: '127.0.0.1:5080' }
  assert.ok((await ask(coupling, good))['STC_ADMITTED'])
  for (const a of [
    { callerName: 'Anna', channel: 'PJSIP/anna-1' }, { ...good, target: 'sip:stcdeadbeee@127.0.0.1:5080' }, { ...good, remote: '10.0.0.9:5080' },
    { ...good, channel: 'Local/x@y-1;2' }, { ...good, target: 'tel:+49301234' }, { ...good, target: 'nonsense\u0000' },
  ]) assert.deepEqual(await ask(coupling, a), { STC_REFUSED: 'certificate' }, JSON.stringify(a))
})

test('a certificate that is not on the list is told so; a host always is on it', async () => {
  const good = { target: `sip:${TOKEN}@127.0.0.1:5080`, remote: '127.0.0.1:5080' }
  assert.deepEqual(await ask((await desk({ 800: { certificates: 'required', admit: ['cn:Bert'] } })).coupling, good), { STC_REFUSED: 'unlisted' })
  assert.ok((await ask((await desk({ 800: { certificates: 'required', admit: ['cn:Bert'], hosts: ['cn:Anna'] } })).coupling, good))['STC_ADMITTED'])
})

test('what is no question of ours gets nothing: other scripts, names that are none', async () => {
  const { coupling } = await desk()
  for (const a of [{ script: 'other' }, { conference: '' }, { conference: '8 00' }, { conference: 'x'.repeat(65) }, { conference: '8\n0' }]) assert.deepEqual(await ask(coupling, a), {}, JSON.stringify(a))
})
