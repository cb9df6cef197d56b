/** The page's connection to the client, in a window that is made up. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Pretended } from '../../kit/pretended.ts'

/** Of another world: the types of a browser are not these of Node. */
const MODULE = '../../../src/web/state/connection.ts'
interface PageConnection {
  start(): Promise<void>
}

function pretended(t: TestContext): Pretended {
  const window = new Pretended()
  t.after(() => window.end())
  return window
}

test('the address of another start, pasted into an open window, is loaded; other fragments change nothing', async (t) => {
  const listeners: (readonly [string, () => void])[] = []
  let reloads = 0
  const location = { hash: '', host: '127.0.0.1:1', reload: () => void reloads++ }
  const window = { location, history: { replaceState: () => {} }, localStorage: { getItem: () => null, setItem: () => {} }, addEventListener: (kind: string, l: () => void) => void listeners.push([kind, l]) }
  pretended(t).has(window)
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

test('a client that is gone is told in the moment in which its connection ends; another one is tried for until it is there', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sockets: { onopen?: () => void; onclose?: () => void }[] = []
  const window = {
    location: { hash: '', host: '127.0.0.1:1' }, localStorage: { getItem: () => 'token', setItem: () => {} }, addEventListener: () => {}, fetch: () => Promise.reject(new Error('nobody is there')),
    WebSocket: class {
      constructor() {
        sockets.push(this)
      }
    },
  }
  pretended(t).has(window)
  const { Connection } = (await import(MODULE)) as { Connection: new (on: object) => PageConnection }
  const links: string[] = []
  await new Connection({ link: (l: string) => links.push(l) }).start()
  sockets[0]!.onopen!()
  sockets[0]!.onclose!()
  // No timer has run.
  await Promise.resolve().then(() => {}).then(() => {})
  assert.deepEqual(links, ['open', 'lost'])
  for (let tries = 1; tries < 4; tries++) {
    t.mock.timers.tick(1500)
    assert.equal(sockets.length, tries + 1)
    sockets[tries]!.onclose!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.mock.timers.tick(1500)
  sockets[4]!.onopen!()
  assert.deepEqual(links, ['open', 'lost', 'lost', 'lost', 'lost', 'open'])
})
