/** The state table of calls through providers, row by row (DESIGN §5, docs/protocol/sealed-calls.md §6): written down a second time here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, next, passing, type Policy, type State, toneOf } from '../../../../src/client/kinds/sealed-call/table.ts'

const EVENTS: readonly Event[] = ['answered', 'found', 'confirmed', 'mismatch', 'failed', 'nobody', 'converts', 'unopened', 'opened', 'renewed', 'unsealable', 'accepted']
const POLICIES: readonly Policy[] = ['require', 'prefer']

/** State: what the phone says and hears under `require` and `prefer`, then every event that leads on. */
const TABLE: Readonly<Record<State, { readonly require: string; readonly prefer: string; readonly on: Partial<Record<Event, State | readonly [require: State, prefer: State]>> }>> = {
  early: { require: '- hears', prefer: 'says hears', on: { answered: 'seeking', found: 'agreeing' } },
  seeking: { require: '- hears', prefer: 'says hears', on: { found: 'agreeing', nobody: ['asking', 'open'], converts: ['asking', 'open'], unsealable: ['asking', 'open'] } },
  agreeing: { require: '- -', prefer: '- -', on: { confirmed: 'sealed', mismatch: 'doubt', failed: 'doubt', nobody: 'doubt', opened: 'sealed', unsealable: 'asking' } },
  doubt: { require: '- -', prefer: '- -', on: { renewed: 'agreeing', accepted: 'open' } },
  sealed: { require: 'says hears', prefer: 'says hears', on: { unopened: 'lost', converts: 'asking', unsealable: 'asking', renewed: 'agreeing' } },
  lost: { require: '- -', prefer: '- -', on: { opened: 'sealed', confirmed: 'sealed', mismatch: 'doubt', converts: 'asking', unsealable: 'asking', renewed: 'agreeing', accepted: 'open' } },
  asking: { require: '- hears', prefer: '- hears', on: { found: 'agreeing', opened: 'sealed', accepted: 'open' } },
  open: { require: 'says hears', prefer: 'says hears', on: { found: 'agreeing' } },
}

test('every state and event leads where the table says, and nowhere else', () => {
  for (const [state, { on }] of Object.entries(TABLE) as [State, (typeof TABLE)[State]][]) {
    for (const event of EVENTS) for (const [i, policy] of POLICIES.entries()) {
      const to = on[event] ?? state
      assert.equal(next(state, event, policy), typeof to === 'string' ? to : to[i], `${state}, ${event}, ${policy}`)
    }
  }
})

test('what passes in every state', () => {
  for (const [state, row] of Object.entries(TABLE) as [State, (typeof TABLE)[State]][]) for (const policy of POLICIES) {
    const { up, down } = passing(state, policy)
    assert.equal(`${up === 'pass' ? 'says' : '-'} ${down === 'pass' ? 'hears' : '-'}`, row[policy], `${state}, ${policy}`)
  }
})

test('a call that was sealed, or is to be, is never heard in the open without the key press', () => {
  const weaker: string[] = []
  for (const from of ['agreeing', 'doubt', 'sealed', 'lost', 'asking'] as const) for (const event of EVENTS) for (const policy of POLICIES) {
    const to = next(from, event, policy)
    if (event !== 'accepted' && to !== 'sealed' && passing(to, policy).up === 'pass') weaker.push(`${from} ${event} ${to}`)
  }
  assert.deepEqual(weaker, [])
})

test('sealed and lost are told to the phone', () => {
  assert.deepEqual([toneOf('sealed'), toneOf('lost'), toneOf('doubt'), toneOf('asking'), toneOf('open')], ['sealed', 'lost', 'lost', 'attention', undefined])
})
