import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import type { PageSnapshot } from '../../../src/model/page.ts'
import { privacyOf } from '../../../src/model/privacy.ts'
import { type CallState, emptyRoster, type Roster } from '../../../src/model/roster.ts'
import { asks, echoOpens, shownCalls, weakerThan } from '../../../src/web/state/heard.ts'
import { headlineOf, sentenceOf } from '../../../src/web/state/sentence.ts'
import type { CallView } from '../../../src/web/state/state.ts'
import { de } from '../../../src/web/words/de.ts'
import { en } from '../../../src/web/words/en.ts'

const LANGUAGES = [en, de]
const call = (id: number, roster: Partial<Roster>): CallView => ({ id, room: `room-${id}`, startedAt: instant(0), line: 'desk', muted: false, volumes: {}, history: [], lines: new Map(), lateTicks: 0, seen: 0, roster: { ...emptyRoster(`room-${id}`, 'sealed'), phase: 'member', ...roster } })
const through = (state: CallState['state']): Partial<Roster> => ({ sealedCall: { number: '555', state, words: [] } })
const weaker = (of: CallView, calls: readonly CallView[], held?: number): number | undefined =>
  weakerThan(of, { calls, ...(held === undefined ? {} : { snapshot: { line: { call: { call: held, held: true } } } as unknown as PageSnapshot }) })?.id

test('above no call stands more than holds for the weakest that may be heard', () => {
  const [sealed, open, bridged, waiting] = [call(1, through('sealed')), call(2, through('open')), call(3, { kind: 'bridged' }), call(4, { phase: 'joining' })]
  assert.equal(weaker(sealed, [sealed]), undefined)
  assert.equal(weaker(sealed, [sealed, open, bridged]), 2)
  assert.equal(weaker(bridged, [sealed, open, bridged]), 2)
  assert.equal(weaker(sealed, [sealed, bridged]), 3)
  assert.equal(weaker(open, [sealed, open, bridged]), undefined)
  // Nobody hears us there, and somebody elsewhere.
  assert.equal(weaker(waiting, [sealed, waiting]), 1)
  assert.equal(weaker(sealed, [sealed, waiting]), undefined)
  // The telephone call that this one is.
  assert.equal(weaker(sealed, [{ ...open, hidden: true }, sealed]), undefined)
  // What the page itself holds hears nothing.
  assert.equal(weaker(sealed, [sealed, open], 2), undefined)
})

test('whoever has to answer is asked; the echo room and what another call shows have no tab', () => {
  assert.deepEqual((['asking', 'doubt', 'lost', 'sealed', 'open', 'agreeing'] as const).map((s) => asks(call(1, through(s)))), [true, true, true, false, false, false])
  assert.equal(asks(call(1, { ...through('asking'), phase: 'left' })), false)
  const calls = [call(1, {}), { ...call(2, {}), hidden: true as const }, { ...call(3, {}), room: 'echo-1' }]
  assert.deepEqual(shownCalls({ calls, snapshot: { echoRoom: 'echo-1' } as PageSnapshot }).map((c) => c.id), [1])
})

test('only of a call that is sealed it is said that nobody else hears it', () => {
  const said = LANGUAGES.map((w) => w.sealedCall.sentences.sealed)
  for (const state of ['early', 'seeking', 'agreeing', 'doubt', 'sealed', 'lost', 'asking', 'open'] as const) {
    for (const profile of [{}, { profile: 'chained' as const }]) {
      const { roster } = call(1, { sealedCall: { number: '555', state, words: [], ...profile } })
      assert.equal(LANGUAGES.some((w) => said.includes(sentenceOf(w, roster))), privacyOf(roster) === 'sealed', `${state} ${JSON.stringify(profile)}`)
    }
  }
  const [sealed, open] = [call(1, through('sealed')), call(2, through('open'))]
  assert.equal(headlineOf(en, sealed, weakerThan(sealed, { calls: [sealed, open] })), 'In your call room-2: Anyone on the line can hear this')
})

test('the echo room opens by itself, whichever phone dialled it, unless the window is in the middle of another call', () => {
  const echo: CallView = { ...call(9, {}), room: 'echo-1' }
  const opens = (calls: readonly CallView[], browser: object = { state: 'idle' }): boolean => echoOpens({ calls, snapshot: { echoRoom: 'echo-1', browser } as unknown as PageSnapshot })
  assert.equal(opens([echo]), true)
  assert.equal(opens([]), false)
  assert.equal(opens([call(1, {}), echo]), false)
  assert.equal(opens([call(1, {}), echo], { state: 'up', call: 9 }), true)
  assert.equal(opens([call(1, {}), echo], { state: 'up', call: 1 }), false)
  assert.equal(opens([{ ...call(1, {}), hidden: true }, echo]), true)
})
