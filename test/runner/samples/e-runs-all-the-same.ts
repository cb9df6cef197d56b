import { test } from 'node:test'

test('one after a file that ended the process', () => {})
// What still waits does not keep the run.
setInterval(() => {}, 1000)
