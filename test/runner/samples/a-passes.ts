import { after, describe, test } from 'node:test'

after(() => console.log('closed'))
test('one that uses what stands below it', () => later())
describe('a suite', () => {
  test('inside', (t) => {
    t.diagnostic('seed 7')
    t.diagnostic(`my ports: lane ${process.env['STC_TEST_LANE']?.replace('/', ' of ')}`)
  })
})
const later = (): void => {}
