import { test } from 'node:test'

test('one that ends the process', () => process.exit(0))
test('one that never runs', () => {})
