/** What is remembered of a call's number, and expected of it, by whose number it is and who says so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Instant, instant } from '../../../../src/base/brand.ts'
import { ok } from '../../../../src/base/result.ts'
import type { CallIn, Target } from '../../../../src/client/call.ts'
import { type NumberMemory, type Numbered, sealedCallKind } from '../../../../src/client/kinds/sealed-call/index.ts'
import type { Identity } from '../../../../src/model/identity.ts'
import { encodeNews } from '../../../../src/vault/api/call-news.ts'
import type { CallProgress } from '../../../../src/vault/api/calls.ts'

const KEY = 'a'.repeat(64)
const OTHER = 'b'.repeat(64)
const BEN = { subject: 'Ben', emails: [], hosts: [], keyId: KEY } as unknown as Identity

type Confirmed = Partial<NonNullable<CallProgress['confirmed']>>

function call(target: Omit<Target, 'kind'>, confirmed: Confirmed | undefined, expected?: string, press = ''): { state: string; notes: string[]; remembered: [Numbered, string][]; asked: Numbered[] } {
  const out = { state: '', notes: [] as string[], remembered: [] as [Numbered, string][], asked: [] as Numbered[] }
  const numbers: NumberMemory = {
    keyOf: (who) => {
      out.asked.push(who)
      return expected
    },
    nameOf: () => undefined, remember: (who, key) => out.remembered.push([who, key]),
  }
  const machine = sealedCallKind({ policy: 'prefer', carriers: ['message'], anonymous: false, numbers }).start({ kind: 'call', ...target }, { conference: 5, hop: 1, phone: 5 })
  const now: Instant = instant(0)
  let started = 0
  const step = (input: CallIn, at = now): void => {
    for (const o of machine.step(input, at).out) {
      if (o.kind === 'event' && o.event.kind === 'sealed-call') out.state = o.event.state
      if (o.kind === 'event' && o.event.kind === 'note') out.notes.push(o.event.code)
      if (o.kind === 'vault' && o.request.call === 'call.begin') step({ kind: 'vault', ref: o.ref, result: ok({ session: o.ref }) })
      if (o.kind === 'vault' && o.request.call === 'call.step' && o.request.args.input === 'start') started = o.ref
    }
  }
  step({ kind: 'start' })
  step({ kind: 'dialog', news: { kind: 'media', codec: 'pcmu', payloadType: 0, receives: true } })
  step({ kind: 'dialog', news: { kind: 'answered' } })
  if (confirmed === undefined) step({ kind: 'tick' }, instant(10_000))
  else {
    step({ kind: 'dialog', news: { kind: 'reached' } })
    step({ kind: 'vault', ref: started, result: ok({ send: [], refused: [], confirmed: { epoch: 0, role: 'initiator', keyId: KEY, profile: 'sealed', missed: [], ...confirmed } }) })
  }
  if (press !== '') step({ kind: 'media', event: { op: 'call.digit', call: 5, digit: press } })
  if (press !== '') step({ kind: 'tick' }, instant(2000))
  return out
}

test('a number is its account\'s', () => {
  const { state, remembered, asked } = call({ room: '100', outgoing: true, account: 'one.test' }, { identity: BEN })
  assert.deepEqual([state, remembered], ['sealed', [[{ account: 'one.test', number: '100' }, KEY]]])
  assert.ok(asked.length > 0 && asked.every((w) => w.account === 'one.test' && w.number === '100'))
})

test('who dials remembers whom they reached; of who calls only what a trusted certificate says, or a person', () => {
  const dialled = { room: '100', outgoing: true, account: 'one.test' }
  const calls = { ...dialled, outgoing: false }
  const remembered = (target: Omit<Target, 'kind'>, c: Confirmed): number => call(target, c).remembered.length
  assert.equal(remembered(dialled, {}), 1, 'an unknown authority, or none')
  assert.equal(remembered(dialled, { identity: BEN }), 1)
  for (const c of [{}, { identity: BEN }, { identity: BEN, numbers: ['ben'] }, { numbers: ['100'] }]) assert.equal(remembered(calls, c), 0, JSON.stringify(c))
  assert.equal(remembered(calls, { identity: BEN, numbers: ['ben', '100'] }), 1)
  assert.equal(remembered({ ...calls, room: '0301234567' }, { identity: BEN, numbers: ['+49301234567'] }), 1)
  const doubted = call(calls, { identity: BEN }, OTHER)
  assert.deepEqual([doubted.state, doubted.remembered], ['doubt', []])
  const accepted = call(calls, { identity: BEN }, OTHER, '*')
  assert.deepEqual([accepted.state, accepted.remembered.length], ['sealed', 1])
})

test('all who do not say who they are are not one person: nothing is expected of them, and nothing remembered', () => {
  const withheld = { room: 'anonymous', outgoing: false, account: 'one.test', withheld: true }
  assert.equal(call({ ...withheld, withheld: false }, undefined, KEY).state, 'asking')
  assert.equal(call(withheld, undefined, KEY).state, 'open')
  const named = { identity: BEN, numbers: ['ben', 'anonymous'] }
  assert.equal(call({ ...withheld, withheld: false }, named, OTHER).state, 'doubt')
  const { state, notes, remembered, asked } = call(withheld, named, OTHER)
  assert.deepEqual([state, notes, remembered, asked], ['sealed', [], [], []])
  assert.deepEqual(call(withheld, { identity: BEN, numbers: ['ben'] }).notes, [], 'there is no number that it could be another than')
  assert.equal(call({ ...withheld, outgoing: true }, {}).remembered.length, 1, 'what is dialled is somebody')
})

test('whoever was called may say that the words were the same: then the key is remembered as the number\'s', () => {
  const words = ['harbour', 'violin', 'meadow', 'copper']
  const calls = (target: object, confirmed: Confirmed = {}) => {
    const known = new Map<string, string>()
    const numbers: NumberMemory = { keyOf: (who) => known.get(who.number), nameOf: () => undefined, remember: (who, key) => void known.set(who.number, key) }
    const machine = sealedCallKind({ policy: 'prefer', carriers: ['message'], anonymous: false, numbers }).start({ kind: 'call', room: '100', outgoing: false, ...target }, { conference: 5, hop: 1, phone: 5 })
    let [memory, started]: [string | undefined, number] = [undefined, 0]
    const step = (input: CallIn): void => {
      for (const o of machine.step(input, instant(0)).out) {
        if (o.kind === 'event' && o.event.kind === 'sealed-call') memory = o.event.memory
        if (o.kind === 'vault' && o.request.call === 'call.begin') step({ kind: 'vault', ref: o.ref, result: ok({ session: o.ref }) })
        if (o.kind === 'vault' && o.request.call === 'call.step' && o.request.args.input === 'start') started = o.ref
      }
    }
    step({ kind: 'start' })
    step({ kind: 'dialog', news: { kind: 'media', codec: 'pcmu', payloadType: 0, receives: true } })
    step({ kind: 'dialog', news: { kind: 'answered' } })
    step({ kind: 'dialog', news: { kind: 'reached' } })
    step({ kind: 'compared', words })
    assert.equal(known.size, 0, 'before the keys stand')
    step({ kind: 'vault', ref: started, result: ok({ send: [], refused: [], shortString: { words, digits: '1' }, confirmed: { epoch: 0, role: 'initiator', keyId: KEY, profile: 'sealed', missed: [], ...confirmed } }) })
    return { step, known, said: () => memory }
  }
  const called = calls({})
  assert.deepEqual([called.said(), called.known.size], ['new', 0])
  called.step({ kind: 'compared', words: [...words.slice(1), 'lantern'] })
  assert.deepEqual([called.said(), called.known.size], ['new', 0], 'other words, of other keys')
  called.step({ kind: 'compared', words })
  assert.deepEqual([called.said(), called.known.get('100')], ['remembered', KEY])
  // Known already, and nobody to remember.
  assert.equal(calls({ outgoing: true }).said(), 'remembered')
  assert.equal(calls({}, { identity: BEN, numbers: ['100'] }).said(), 'remembered')
  for (const [target, confirmed] of [[{ withheld: true }, {}], [{}, { profile: 'chained' }]] as const) {
    const nobody = calls(target, confirmed)
    nobody.step({ kind: 'compared', words })
    assert.deepEqual([nobody.said(), nobody.known.size], [undefined, 0])
  }
  // What is lost is not who was compared with.
  const lost = calls({})
  lost.step({ kind: 'media', event: { op: 'call.news', call: 5, news: encodeNews([{ kind: 'heard' }]) } })
  for (let i = 0; i < 3; i++) lost.step({ kind: 'media', event: { op: 'call.frames', call: 5, opened: 0, refused: 25 } })
  lost.step({ kind: 'compared', words })
  assert.deepEqual([lost.said(), lost.known.size], [undefined, 0])
})
