import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NearItems, type Watcher } from '../../../src/web/parts/near.ts'

type Seen = Parameters<ConstructorParameters<typeof NearItems>[0]>[0]
type Item = Parameters<Watcher['observe']>[0]

/** What a window would say of the elements that are watched. */
class Window implements Watcher {
  readonly watched = new Set<Item>()
  readonly #say: Seen
  constructor(say: Seen) {
    this.#say = say
  }
  observe(e: Item): void {
    this.watched.add(e)
  }
  unobserve(e: Item): void {
    this.watched.delete(e)
  }
  disconnect(): void {
    this.watched.clear()
  }
  shows(list: List, from: number, to: number): void {
    this.#say(list.children.flatMap((e, i) => (this.watched.has(e) ? [{ target: e, isIntersecting: i >= from && i < to }] : [])))
  }
}
interface List extends Item {
  readonly children: Item[]
  clientWidth: number
  readonly style: { usual?: string; setProperty(name: string, value: string): void }
}
const listOf = (n: number): List => ({
  clientWidth: 700, getBoundingClientRect: () => ({ height: 0 }), children: Array.from({ length: n }, (_, i) => ({ getBoundingClientRect: () => ({ height: 60 + i }) })),
  style: {
    setProperty(_, value) {
      this.usual = value
    },
  },
})
const keysOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `k${i}`)
const shown = (near: NearItems, keys: readonly string[]): number[] => keys.flatMap((k, i) => (near.has(k) ? [i] : []))
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

function start(n: number): { near: NearItems; window: Window; keys: string[]; list: List } {
  const [keys, list] = [keysOf(n), listOf(n)]
  let window!: Window
  const near = new NearItems((seen) => (window = new Window(seen)))
  near.expect(keys)
  near.follow(list)
  return { near, window, keys, list }
}

test('a short list is whole, and nothing of it is watched', () => {
  const { near, window, keys } = start(32)
  assert.deepEqual(shown(near, keys), range(0, 32))
  assert.equal(near.long, false)
  assert.equal(window.watched.size, 0)
})

test('of a long list both ends are whole, and what is in view', () => {
  const { near, window, keys, list } = start(200)
  assert.deepEqual(shown(near, keys), [...range(0, 16), ...range(196, 200)], 'a first picture, before anything is known')
  window.shows(list, 100, 112)
  assert.deepEqual(shown(near, keys), [...range(0, 4), ...range(100, 112), ...range(196, 200)])
})

test('each item hears of its own change alone; whatever leaves waits for something that comes', () => {
  const { near, window, keys, list } = start(200)
  window.shows(list, 100, 112)
  const heard: string[] = []
  for (const k of keys) near.watch(k, (is) => heard.push(`${k} ${is}`))
  window.shows(list, 0, 0)
  assert.deepEqual(heard, [])
  window.shows(list, 104, 116)
  assert.deepEqual(heard, ['k100 false', 'k101 false', 'k102 false', 'k103 false', 'k112 true', 'k113 true', 'k114 true', 'k115 true'])
})

test('what was whole stays as high as it was, until the list is of another width', () => {
  const { near, window, keys, list } = start(200)
  window.shows(list, 100, 104)
  for (const k of keys) near.watch(k, () => {})
  window.shows(list, 104, 108)
  assert.deepEqual([near.heightOf('k100'), near.heightOf('k103'), near.heightOf('k150')], [160, 163, undefined])
  assert.equal(list.style.usual, '61px', 'of the others it is guessed')
  list.clientWidth = 400
  window.shows(list, 108, 112)
  assert.deepEqual([near.heightOf('k100'), near.heightOf('k104')], [undefined, 164])
})

test('around the keyboard everything is whole, wherever the window is scrolled to', () => {
  const { near, window, keys, list } = start(200)
  window.shows(list, 20, 32)
  near.focus('k100')
  assert.deepEqual(shown(near, keys), [...range(0, 4), ...range(20, 32), ...range(96, 105), ...range(196, 200)])
  near.focus(undefined)
  window.shows(list, 24, 36)
  assert.deepEqual(shown(near, keys), [...range(0, 4), ...range(24, 36), ...range(196, 200)])
})

test('when somebody leaves, those who move up are whole at once', () => {
  const { near, window, keys, list } = start(200)
  window.shows(list, 40, 52)
  const told: string[] = []
  for (const k of keys) near.watch(k, (is) => told.push(`${k} ${is}`))
  const without = keys.toSpliced(2, 1)
  list.children.splice(2, 1)
  near.expect(without)
  near.follow(list)
  assert.ok(told.every((x) => x.endsWith('true')), 'nobody in view is left out for a moment')
  // Watched are other elements now; those in view are still in view.
  window.shows(list, 40, 52)
  assert.deepEqual(shown(near, without), [...range(0, 4), ...range(40, 52), ...range(195, 199)])
  assert.ok(told.includes('k52 true') && told.includes('k40 false'))
  near.stop()
  assert.equal(window.watched.size, 0)
})
