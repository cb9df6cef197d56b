/** A call through a provider, step by step: what happens when the keys stand and no frame opens, and when music on hold is over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../../src/base/brand.ts'
import { ok } from '../../../../src/base/result.ts'
import type { CallIn, CallOut } from '../../../../src/client/call.ts'
import { SealedCallMachine } from '../../../../src/client/kinds/sealed-call/machine.ts'
import type { SealedMedia } from '../../../../src/media/api.ts'
import { encodeNews } from '../../../../src/vault/api/call-news.ts'

const CALL = 5

class Driven {
  readonly #machine: SealedCallMachine
  constructor(password?: string) {
    this.#machine = new SealedCallMachine({ call: CALL, number: '100', outgoing: true, policy: 'prefer', carriers: ['message'], anonymous: false, expected: () => undefined, nameOf: () => undefined, remember: () => {}, ...(password === undefined ? {} : { password: () => password }) })
  }
  readonly #keyOf = 'a'.repeat(64)
  now = 0
  wakeAt: number | undefined
  state = ''
  notes: string[] = []
  step(input: CallIn): void {
    const { out, wakeAt } = this.#machine.step(input, instant(this.now))
    this.wakeAt = wakeAt
    this.#take(out)
  }
  /** Sessions are begun at once; every other wish of the vault's succeeds in silence. */
  #take(out: readonly CallOut[]): void {
    for (const o of out) {
      if (o.kind === 'event' && o.event.kind === 'sealed-call') this.state = o.event.state
      if (o.kind === 'event' && o.event.kind === 'note') this.notes.push(o.event.code)
      if (o.kind === 'vault' && o.request.call === 'call.end') this.sessions.delete(o.request.args.session)
      if (o.kind === 'media' && o.command.op === 'call.seal') this.sealed = o.command.sealed
      if (o.kind === 'vault' && o.request.call === 'call.begin') this.seeks.push(o.request.args.carriers.length > 0)
      if (o.kind === 'vault' && o.request.call === 'call.begin' && this.slow) this.begun.push(o.ref)
      else if (o.kind === 'vault' && o.request.call === 'call.begin') this.begin(o.ref)
      if (o.kind === 'vault' && o.request.call === 'call.step' && o.request.args.input === 'start') this.#started = o.ref
    }
  }
  #started = 0
  /** Sessions that the vault has. */
  readonly sessions = new Set<number>()
  sealed: SealedMedia | undefined
  /** Beginnings are answered when `begin` says so. */
  slow = false
  readonly begun: number[] = []
  /** Of each beginning: whether somebody is looked for. */
  readonly seeks: boolean[] = []
  begin(ref: number): void {
    this.sessions.add(ref)
    this.step({ kind: 'vault', ref, result: ok({ session: ref }) })
  }
  /** Until the keys stand; `keyId` empty: of nobody. */
  seal(keyId = this.#keyOf): void {
    this.step({ kind: 'start' })
    this.describe('pcmu')
    this.step({ kind: 'dialog', news: { kind: 'answered' } })
    this.agree(keyId === '' ? undefined : keyId)
    assert.equal(this.state, 'sealed')
  }
  describe(codec: 'pcmu' | 'pcma'): void {
    this.step({ kind: 'dialog', news: { kind: 'media', codec, payloadType: 0, receives: true } })
  }
  agree(keyId?: string): void {
    this.reached()
    this.step({ kind: 'vault', ref: this.#started, result: ok({ send: [], refused: [], confirmed: { epoch: 0, role: 'initiator', ...(keyId === undefined ? {} : { keyId }), profile: 'sealed', missed: [] } }) })
  }
  /** An agreement comes as far as the words, and no further. */
  tried(): void {
    this.reached()
    this.step({ kind: 'vault', ref: this.#started, result: ok({ send: [], refused: [], shortString: { words: ['a', 'b', 'c', 'd'], digits: '1' } }) })
  }
  reached(): void {
    this.step({ kind: 'dialog', news: { kind: 'reached' } })
  }
  back(): void {
    this.step({ kind: 'media', event: { op: 'call.news', call: CALL, news: encodeNews([{ kind: 'back' }]) } })
  }
  heard(): void {
    this.step({ kind: 'media', event: { op: 'call.news', call: CALL, news: encodeNews([{ kind: 'heard' }]) } })
  }
  presses(digit: string): void {
    this.step({ kind: 'media', event: { op: 'call.digit', call: CALL, digit } })
  }
  passes(ms: number): void {
    this.now += ms
    this.step({ kind: 'tick' })
  }
  unopened(): void {
    for (let i = 0; i < 3; i++) this.step({ kind: 'media', event: { op: 'call.frames', call: CALL, opened: 0, refused: 25 } })
  }
}

test('keys stand and no frame ever opened: named as conversion, and a person decides', () => {
  const call = new Driven()
  call.seal()
  call.unopened()
  assert.deepEqual([call.state, call.notes], ['asking', ['SEALED_CALL_CONVERTS', 'SEALED_CALL_ASKS']])
})

test('music on hold is over while another party is being agreed with: sealed as before', () => {
  const call = new Driven()
  call.seal()
  call.heard()
  call.unopened()
  assert.equal(call.state, 'lost')
  call.now = 1600
  call.step({ kind: 'dialog', news: { kind: 'hold', held: false } })
  call.reached()
  assert.equal(call.state, 'lost')
  // Of the new keys, told of before we know that they stand.
  call.heard()
  assert.equal(call.state, 'lost')
  call.back()
  assert.equal(call.state, 'sealed')
})

test('somebody without a certificate, then somebody with one: a person decides', () => {
  const call = new Driven()
  call.seal('')
  call.describe('pcma')
  call.agree('b'.repeat(64))
  assert.deepEqual([call.state, call.notes], ['doubt', ['SEALED_CALL_ANOTHER_KEY']])
})

test('what the vault begins for a call that is over, or that began again, is ended', () => {
  const call = new Driven()
  call.slow = true
  call.step({ kind: 'start' })
  call.describe('pcmu')
  call.describe('pcma')
  call.describe('pcmu')
  for (const ref of call.begun.splice(0)) call.begin(ref)
  assert.equal(call.sessions.size, 1)
  call.describe('pcma')
  call.step({ kind: 'leave' })
  for (const ref of call.begun.splice(0)) call.begin(ref)
  assert.deepEqual([...call.sessions], [])
  assert.equal(call.wakeAt, undefined)
})

test('what is begun while the keys of before open again does not take their place', () => {
  const call = new Driven()
  call.seal()
  call.heard()
  call.unopened()
  const keyed = call.sealed?.session
  call.slow = true
  call.now = 1600
  call.step({ kind: 'dialog', news: { kind: 'hold', held: false } })
  call.back()
  assert.equal(call.state, 'sealed')
  for (const ref of call.begun.splice(0)) call.begin(ref)
  assert.deepEqual([call.sealed?.session, call.sealed?.sealed, [...call.sessions]], [keyed, true, [keyed]])
})

test('a password is tried once: neither a new description nor frames of before that come back give another try', () => {
  for (const password of ['four green bottles', undefined]) {
    const described = new Driven(password)
    described.seal()
    described.describe('pcma')
    described.tried()
    described.describe('pcmu')
    assert.deepEqual(described.seeks, [true, true, password === undefined])
    const back = new Driven(password)
    back.seal()
    back.heard()
    back.unopened()
    back.now = 1600
    back.step({ kind: 'dialog', news: { kind: 'hold', held: false } })
    back.tried()
    back.back()
    assert.equal(back.state, 'sealed')
    back.heard()
    back.unopened()
    back.now = 3200
    back.step({ kind: 'dialog', news: { kind: 'hold', held: true } })
    assert.deepEqual([back.state, back.seeks], ['lost', password === undefined ? [true, true, true] : [true, true]])
  }
})

test('`*` accepts once no other key follows: `*1` does not open a call that music plays in; twice does at once, and what has changed since is not accepted', () => {
  const lost = (): Driven => {
    const call = new Driven()
    call.seal()
    call.heard()
    call.unopened()
    assert.equal(call.state, 'lost')
    return call
  }
  const muted = lost()
  muted.presses('*')
  muted.presses('1')
  muted.passes(1500)
  assert.equal(muted.state, 'lost')
  const open = lost()
  open.presses('*')
  open.passes(1499)
  assert.deepEqual([open.state, open.wakeAt], ['lost', 1500])
  open.passes(1)
  assert.equal(open.state, 'open')
  const twice = lost()
  twice.presses('*')
  twice.presses('*')
  assert.equal(twice.state, 'open')
  // The keys of somebody else stand by then: that is another question.
  const another = lost()
  another.passes(1600)
  another.presses('*')
  another.agree('b'.repeat(64))
  another.passes(1600)
  assert.equal(another.state, 'doubt')
})
