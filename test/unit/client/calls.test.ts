/** A running call and the keys of its phone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { ok } from '../../../src/base/result.ts'
import type { CallIn, CallMachine, CallOut } from '../../../src/client/call.ts'
import { RunningCall } from '../../../src/client/calls.ts'
import type { CallState } from '../../../src/model/roster.ts'
import type { Vault } from '../../../src/vault/api/calls.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

function running() {
  const inputs: CallIn[] = []
  let next: readonly CallOut[] = []
  const clock = new VirtualClock()
  const machine: CallMachine = {
    step: (input) => {
      inputs.push(input)
      const out = next
      next = []
      return { out }
    },
  }
  const call = new RunningCall(1, '100', 7, 8, machine, { vault: {} as Vault, scheduler: clock, media: () => {}, send: () => ok(undefined) }, {})
  return {
    call,
    clock,
    becomes: (state: CallState['state']) => {
      next = [{ kind: 'event', event: { kind: 'sealed-call', at: instant(0), state, number: '100', words: [] } }]
      call.input({ kind: 'tick' })
    },
    presses: (digits: string, which = 7) => {
      for (const digit of digits) call.onMedia({ op: 'call.digit', call: which, digit })
    },
    mutes: () => inputs.flatMap((i) => (i.kind === 'mute' ? [i.muted] : [])),
  }
}

test('`*1` mutes and unmutes while the call is sealed', () => {
  const r = running()
  r.becomes('sealed')
  r.presses('*1')
  assert.deepEqual([r.mutes(), r.call.muted], [[true], true])
  r.presses('5*1')
  assert.deepEqual([r.mutes(), r.call.muted], [[true, false], false])
})

test('so they do where nothing may be said: music on hold, a question that waits for `*`', () => {
  for (const state of ['lost', 'doubt', 'asking', 'agreeing'] as const) {
    const r = running()
    r.becomes(state)
    r.presses('*1')
    assert.deepEqual(r.mutes(), [true], state)
  }
})

test('elsewhere digits are the other side\'s, and a `*` that accepted a call is no half of it', async () => {
  for (const state of ['open', 'early'] as const) {
    const r = running()
    r.becomes(state)
    r.presses('*1')
    r.presses('*')
    r.becomes('sealed')
    r.presses('1')
    assert.deepEqual(r.mutes(), [], state)
  }
  for (const [state, then] of [['doubt', 'sealed'], ['asking', 'open'], ['lost', 'open']] as const) {
    const r = running()
    r.becomes(state)
    r.presses('*')
    await r.clock.advance(1500)
    r.becomes(then)
    r.presses('1')
    assert.deepEqual(r.mutes(), [], state)
  }
})

test('keys of another call are not this one\'s', () => {
  const r = running()
  r.becomes('sealed')
  r.presses('*1', 9)
  r.presses('*')
  r.presses('1', 9)
  assert.deepEqual(r.mutes(), [])
})
