import { test } from 'node:test'

test('one whose promise fails when it is over', () => {
  setImmediate(() => void Promise.reject(new Error('too late')))
})
