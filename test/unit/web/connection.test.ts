/** The page's connection to the client, in a window that is made up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

/** Of another world: the types of a browser are not these of Node. */
const MODULE = '../../../src/web/state/connection.ts'
interface PageConnection {
  start(): Promise<void>
}

test('the address of another start, pasted into an open window, is loaded; other fragments change nothing', async () => {
  const listeners: (readonly [string, () => void])[] = []
  let reloads = 0
  const location = { hash: '', host: '127.0.0.1:1', reload: () => void reloads++ }
  const window = { location, history: { replaceState: () => {} }, localStorage: { getItem: () => null, setItem: () => {} }, addEventListener: (kind: string, l: () => void) => void listeners.push([kind, l]) }
  for (const [name, value] of Object.entries(window)) Object.defineProperty(globalThis, name, { value, configurable: true })
  const { Connection } = (await import(MODULE)) as { Connection: new (on: object) => PageConnection }
  const links: string[] = []
  await new Connection({ link: (l: string) => links.push(l) }).start()
  assert.deepEqual([links, listeners.map(([kind]) => kind)], [['locked'], ['hashchange']])
  for (const [hash, times] of [['#main', 0], ['#key=12', 0], [`#key=${'a'.repeat(64)}`, 1], ['', 1]] as const) {
    location.hash = hash
    listeners[0]![1]()
    assert.equal(reloads, times, hash)
  }
})
