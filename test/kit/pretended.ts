/** Things of a browser in this process, for as long as a file's tests take: other files run in it after them. */
export class Pretended {
  readonly #before = new Map<string, PropertyDescriptor | undefined>()

  has(things: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(things)) {
      if (!this.#before.has(name)) this.#before.set(name, Object.getOwnPropertyDescriptor(globalThis, name))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
  }
  end(): void {
    for (const [name, was] of this.#before) {
      if (was === undefined) Reflect.deleteProperty(globalThis, name)
      else Object.defineProperty(globalThis, name, was)
    }
    this.#before.clear()
  }
}
