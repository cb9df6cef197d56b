/** A conference of the PBX at the client: what the server says, and what the vault believes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { err, ok } from '../../../src/base/result.ts'
import type { CallIn, CallOut } from '../../../src/client/call.ts'
import { BridgedMachine } from '../../../src/client/kinds/bridged/index.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { applyEvent, emptyRoster, type Roster } from '../../../src/model/roster.ts'
import type { ServerWire } from '../../../src/protocol/wire/messages.ts'

const key = (c: string): string => c.repeat(64)
const person = (name: string, keyId: string): Identity => ({ subject: name, keyId, emails: [], hosts: [] }) as unknown as Identity
const chain = [new Uint8Array(3)]

class Play {
  readonly machine = new BridgedMachine('800')
  roster: Roster = emptyRoster('800', 'bridged')
  now = 0
  readonly all: CallOut[] = []
  say(input: CallIn): readonly CallOut[] {
    const { out } = this.machine.step(input, instant(this.now))
    this.all.push(...out)
    for (const o of out) if (o.kind === 'event') this.roster = applyEvent(this.roster, o.event)
    return out
  }
  /** The certificate of a key, and the vault's word on it. */
  show(k: string, verdict: { identity: Identity } | 'IDENTITY_EXPIRED'): void {
    const asked = this.say({ kind: 'wire', message: { k: 'pbx-certificate', conference: '800', key: k, chain } }).find((o) => o.kind === 'vault')
    assert.ok(asked?.kind === 'vault' && asked.request.call === 'identity.verify')
    this.say({ kind: 'vault', ref: asked.ref, result: typeof verdict === 'string' ? err(verdict) : ok(verdict) })
  }
  is(members: ServerWire['pbx-roster']['members'], change: Partial<ServerWire['pbx-roster']> = {}): readonly CallOut[] {
    return this.say({ kind: 'wire', message: { k: 'pbx-roster', conference: '800', current: true, locked: false, recorded: false, host: false, more: 0, members, ...change } })
  }
  get shown(): string[] {
    return [...this.roster.members.map((m) => m.identity.subject), ...this.roster.callers.map((c) => `? ${c.number}${c.refused === undefined ? '' : ` ${c.refused}`}`)]
  }
  get notes(): string[] {
    return this.roster.notes.map((n) => n.text)
  }
}

test('people are named by certificates that the vault believes, everybody else by an unverified number', () => {
  const p = new Play()
  p.show(key('a'), { identity: person('Anna', key('a')) })
  p.is([{ id: 1, key: key('a'), number: '200', call: 'x@y', host: true }, { id: 2, number: '+4930', name: 'The \u202eBank', muted: true }])
  assert.deepEqual(p.shown, ['Anna', '? +4930'])
  assert.equal(p.roster.phase, 'member')
  assert.equal(p.roster.members[0]?.self, true)
  assert.deepEqual(p.roster.members[0]?.presence, { host: true })
  assert.deepEqual(p.roster.callers[0]?.presence, { muted: true })
  assert.equal(p.roster.callers[0]?.name, 'The \uFFFDBank')
  p.is([{ id: 1, key: key('a'), call: 'x@y' }])
  assert.deepEqual(p.notes, ['an unverified caller (+4930) left'])
  p.is([{ id: 1, key: key('a'), call: 'x@y' }, { id: 3, recorded: true }])
  assert.deepEqual(p.notes.slice(1), ['an unverified caller joined', 'the call of an unverified caller is being recorded'])
})

test('a certificate that is refused, or of another key, names nobody; the reason is shown', () => {
  const p = new Play()
  p.show(key('b'), 'IDENTITY_EXPIRED')
  p.show(key('c'), { identity: person('Carl', key('d')) })
  p.is([{ id: 1, key: key('b'), number: '201' }, { id: 2, key: key('c'), number: '202' }, { id: 3, key: key('e'), number: '203' }])
  assert.deepEqual(p.shown, ['? 201 IDENTITY_EXPIRED', '? 202 IDENTITY_KEY_MISMATCH', '? 203'])
})

test('the roster waits for the vault, and is looked at again when something was revoked', () => {
  const p = new Play()
  const asked = p.say({ kind: 'wire', message: { k: 'pbx-certificate', conference: '800', key: key('a'), chain } }).find((o) => o.kind === 'vault')
  p.is([{ id: 1, key: key('a') }])
  assert.deepEqual(p.shown, [], 'nobody flickers as unverified')
  assert.ok(asked?.kind === 'vault')
  p.say({ kind: 'vault', ref: asked.ref, result: ok({ identity: person('Anna', key('a')) }) })
  assert.deepEqual(p.shown, ['Anna'])
  const again = p.say({ kind: 'wire', message: { k: 'revocation', proofs: [] } as never }).find((o) => o.kind === 'vault')
  assert.ok(again?.kind === 'vault')
  assert.deepEqual(p.shown, ['Anna'], 'until the vault has looked')
  p.say({ kind: 'vault', ref: again.ref, result: err('IDENTITY_REVOKED') })
  assert.deepEqual(p.shown, ['?  IDENTITY_REVOKED'])
})

test('a member that is removed by its key is removed with every presence that its certificate proves', () => {
  const p = new Play()
  p.show(key('b'), { identity: person('Bert', key('b')) })
  p.show(key('c'), 'IDENTITY_EXPIRED')
  p.is([{ id: 1, key: key('b') }, { id: 2, key: key('b') }, { id: 3, key: key('c') }])
  for (const k of ['b', 'c']) p.say({ kind: 'command', command: { do: 'remove', keyId: key(k), ban: false } })
  assert.deepEqual(p.all.flatMap((o) => (o.kind === 'send' && o.message.k === 'pbx-act' ? [`${o.message.act} ${o.message.member}`] : [])), ['kick 1', 'kick 2'])
})

test('another conference is another call; the end is the server\'s word, a lost connection, or our leaving', () => {
  const p = new Play()
  p.is([{ id: 7, call: 'x@y' }])
  assert.deepEqual(p.say({ kind: 'wire', message: { k: 'pbx-left', conference: '801' } }), [])
  p.say({ kind: 'act', act: 'lock' })
  p.say({ kind: 'remove', leaf: 4, ban: false })
  p.say({ kind: 'mute', muted: true })
  p.say({ kind: 'command', command: { do: 'decide', decision: { act: 'unlock' } } })
  p.say({ kind: 'command', command: { do: 'flag', text: 'x' } })
  p.say({ kind: 'leave' })
  assert.deepEqual(p.all.filter((o) => o.kind === 'send').map((o) => o.kind === 'send' && o.message), [
    { k: 'pbx-act', conference: '800', act: 'lock' }, { k: 'pbx-act', conference: '800', act: 'kick', member: 4 },
    { k: 'pbx-act', conference: '800', act: 'mute', member: 7 }, { k: 'pbx-act', conference: '800', act: 'unlock' }, { k: 'pbx-act', conference: '800', act: 'kick', member: 7 },
  ])
  assert.equal(p.say({ kind: 'wire', message: { k: 'pbx-left', conference: '800' } }).at(-1)?.kind, 'over')
  assert.deepEqual(p.is([{ id: 7 }]), [])

  const lost = new Play()
  lost.is([{ id: 1 }])
  const over = lost.say({ kind: 'channel', up: false, reason: 'gone' }).at(-1)
  assert.ok(over?.kind === 'over' && over.fault?.code === 'CHANNEL_CLOSED')

  const stuck = new Play()
  stuck.is([{ id: 1, call: 'x' }])
  stuck.say({ kind: 'leave' })
  stuck.now = 5000
  assert.equal(stuck.say({ kind: 'tick' }).at(-1)?.kind, 'over')
})
