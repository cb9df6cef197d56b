import { test } from 'node:test'

process.on('exit', () => process.kill(process.pid, 'SIGKILL'))
test('one that passes before its process dies', () => {})
