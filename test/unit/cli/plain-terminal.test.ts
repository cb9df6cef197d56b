/** When a line-by-line terminal prints a roster. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { RosterPrints } from '../../../src/cli/plain-terminal.ts'
import { applyEvent, type CallEvent, emptyRoster, type PhoneLeg } from '../../../src/model/roster.ts'
import { inGroup } from '../../kit/staged-page.ts'

test('what was printed last never says too little of whose phone can be overheard; who goes back and forth makes nothing scroll', () => {
  const call = { roster: emptyRoster('weekly', 'sealed') }
  const prints = new RosterPrints()
  const due = (e: CallEvent, anyway = false): boolean => {
    call.roster = applyEvent(call.roster, e)
    return prints.isDue(call, e, anyway)
  }
  const at = instant(0)
  const leg = (is: PhoneLeg, leaf?: number): boolean => due({ kind: 'phone-leg', at, leg: is, ...(leaf === undefined ? {} : { leaf }) })
  const group = (): boolean => due({ kind: 'group', at, epoch: 1n, securityCode: '1', members: [0, 1, 2].map((i) => inGroup(i)) }, true)
  assert.equal(leg('plain-lan'), false, 'nobody is in')
  due({ kind: 'phase', at, phase: 'member' })
  assert.equal(group(), true)
  assert.deepEqual([leg('plain-lan', 1), leg('encrypted', 1), leg('plain-lan', 1), leg('encrypted', 1)], [true, false, false, false])
  assert.deepEqual([leg('plain-lan', 2), leg('encrypted', 2), leg('plain-lan', 1), leg('plain-lan', 2), leg('encrypted', 1)], [true, false, false, false, false], 'nor do two')
  // Printed as one that cannot be overheard.
  group()
  assert.deepEqual([leg('plain-lan', 1), leg('encrypted', 1), leg('plain-lan', 1)], [true, false, false])
  assert.deepEqual([leg('plain-lan'), leg('encrypted')], [true, true], 'our own')
})
