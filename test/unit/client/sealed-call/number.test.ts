import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayBeCalled } from '../../../../src/client/kinds/sealed-call/number.ts'

test('what a certificate names is compared with what was dialled, where the two can be compared', () => {
  const yes: readonly [string[], string][] = [
    [[], 'bert'], [['bert'], 'bert'], [['Bert'], 'bert'], [['anna', 'bert'], 'bert'], [['bert'], '4711'], [['4711'], 'bert'], [['4711'], '4711'],
    [['+49301234567'], '030 1234567'], [['+49301234567'], '0049 (30) 123-4567'], [['030/1234567'], '+49301234567'], [['bert'], ''],
  ]
  for (const [names, dialled] of yes) assert.ok(mayBeCalled(names, dialled), `${names.join()} for ${dialled}`)
  const no: readonly [string[], string][] = [[['mallory'], 'bert'], [['4712'], '4711'], [['mallory', '4712'], '4711'], [['+49301234568'], '030 1234567'], [['711'], '4711'], [['14711'], '4711']]
  for (const [names, dialled] of no) assert.ok(!mayBeCalled(names, dialled), `${names.join()} for ${dialled}`)
})
