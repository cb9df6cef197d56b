/**
 * Which items of a long list are in view or about to be. Only those are drawn whole; of the others there is what can be found, read
 * out and counted. A change is told to the items that it concerns; the other two hundred are not looked at.
 */

/** Shorter lists are whole. */
const SHORT = 32
/** Every so manieth item is watched, for itself and those up to the next: watching costs, and so does every change. */
const STEP = 4
/** More above, because a watched item stands above those that it is watched for. */
export const AROUND = '600px 0px 300px'

/** Of the DOM, what is used of it. */
interface Item {
  getBoundingClientRect(): { readonly height: number }
}
interface List extends Item {
  readonly children: ArrayLike<Item>
  readonly clientWidth: number
  readonly style: { setProperty(name: string, value: string): void }
}
interface Entry {
  readonly target: Item
  readonly isIntersecting: boolean
}
/** An `IntersectionObserver`. */
export interface Watcher {
  observe(e: Item): void
  unobserve(e: Item): void
  disconnect(): void
}

interface Listener {
  near: boolean
  readonly tell: (near: boolean) => void
}

export class NearItems {
  readonly #watcher: Watcher
  readonly #listeners = new Map<string, Listener>()
  /** Of items that were whole once. */
  readonly #heights = new Map<string, number>()
  /** Watched elements, and which item each is. */
  #watched = new Map<Item, number>()
  #inView: Set<Item> | undefined
  #near: ReadonlySet<string> = new Set()
  #keys: readonly string[] = []
  #followed: readonly string[] | undefined
  #list: List | undefined
  #width = 0
  #focus: string | undefined

  constructor(watcher: (seen: (entries: readonly Entry[]) => void) => Watcher) {
    this.#watcher = watcher((entries) => this.#seen(entries))
  }
  /** Not all are near. */
  get long(): boolean {
    return this.#keys.length > SHORT
  }
  /** What the list will consist of. */
  expect(keys: readonly string[]): void {
    // Another member who says something else is no other list.
    if (keys.length === this.#keys.length && keys.every((k, i) => k === this.#keys[i])) return
    this.#keys = keys
    this.#near = this.#nearStill()
  }
  /** It does now: `list` has one child for each. */
  follow(list: List): void {
    if (this.#followed === this.#keys && this.#list === list) return
    this.#followed = this.#keys
    this.#list = list
    const watched = new Map<Item, number>()
    if (this.long) for (let i = 0; i < list.children.length; i += STEP) watched.set(list.children[i]!, i)
    for (const e of this.#watched.keys()) {
      if (watched.has(e)) continue
      this.#watcher.unobserve(e)
      this.#inView?.delete(e)
    }
    for (const e of watched.keys()) if (!this.#watched.has(e)) this.#watcher.observe(e)
    this.#watched = watched
    if (this.long) this.#guess(list)
    this.#decide(this.#nearStill())
  }
  /** Whoever goes through the list by keyboard finds the next item whole, wherever the window is scrolled to. */
  focus(key: string | undefined): void {
    this.#focus = key
    if (key !== undefined) this.#decide(this.#nearNow())
  }
  has(key: string): boolean {
    return this.#near.has(key)
  }
  heightOf(key: string): number | undefined {
    return this.#heights.get(key)
  }
  watch(key: string, tell: (near: boolean) => void): () => void {
    const listener = { near: this.has(key), tell }
    this.#listeners.set(key, listener)
    return () => {
      if (this.#listeners.get(key) !== listener) return
      this.#listeners.delete(key)
      this.#heights.delete(key)
    }
  }
  stop(): void {
    this.#watcher.disconnect()
    this.#watched.clear()
  }

  #seen(entries: readonly Entry[]): void {
    const inView = (this.#inView ??= new Set())
    for (const e of entries) {
      if (e.isIntersecting) inView.add(e.target)
      else inView.delete(e.target)
    }
    // What leaves, leaves together with what comes: one change of the page instead of two.
    if (entries.some((e) => e.isIntersecting)) this.#decide(this.#nearNow())
  }
  #nearNow(): Set<string> {
    const keys = this.#keys
    if (!this.long) return new Set(keys)
    const near = new Set<string>()
    const add = (from: number, to: number): void => {
      for (const k of keys.slice(Math.max(0, from), to)) near.add(k)
    }
    // Where the keyboard comes in; and the first picture, before anything is known.
    add(0, this.#inView === undefined ? SHORT / 2 : STEP)
    add(keys.length - STEP, keys.length)
    for (const e of this.#inView ?? []) {
      const i = this.#watched.get(e)
      if (i !== undefined) add(i, i + STEP)
    }
    const i = this.#focus === undefined ? -1 : keys.indexOf(this.#focus)
    if (i >= 0) add(i - STEP, i + STEP + 1)
    return near
  }
  /** Others are watched now and have not been seen yet: whatever was near stays so until then. */
  #nearStill(): Set<string> {
    const near = this.#nearNow()
    for (const k of this.#keys) if (this.#near.has(k)) near.add(k)
    return near
  }
  #decide(near: ReadonlySet<string>): void {
    this.#near = near
    const changed = this.#keys.flatMap((key, i) => {
      const listener = this.#listeners.get(key)
      return listener === undefined || listener.near === this.#near.has(key) ? [] : [{ key, i, listener }]
    })
    // All are measured before any is changed.
    for (const { key, i, listener } of changed) if (listener.near) this.#measure(key, i)
    for (const { listener } of changed) {
      listener.near = !listener.near
      listener.tell(listener.near)
    }
  }
  /** Whatever has not been whole yet is as high as the second item, which always is. Another width, other heights. */
  #guess(list: List): void {
    if (list.clientWidth === this.#width) return
    this.#width = list.clientWidth
    this.#heights.clear()
    list.style.setProperty('--usual', `${list.children[1]?.getBoundingClientRect().height ?? 0}px`)
  }
  #measure(key: string, i: number): void {
    const list = this.#list
    const item = list?.children[i]
    if (list === undefined || item === undefined) return
    this.#guess(list)
    this.#heights.set(key, item.getBoundingClientRect().height)
  }
}
