/** Reads JSON of a known shape. What does not fit is remembered, with its place, and the reading goes on with harmless values: ask `failure` before using any. */

interface Failure {
  why?: string
}

export class JsonReader {
  readonly #value: unknown
  readonly #place: string
  readonly #failure: Failure

  private constructor(value: unknown, place: string, failure: Failure) {
    this.#value = value
    this.#place = place
    this.#failure = failure
  }
  static of(json: string): JsonReader {
    try {
      return new JsonReader(JSON.parse(json), '', {})
    } catch {
      return new JsonReader(undefined, '', { why: 'not JSON' })
    }
  }
  /** The first thing that did not fit. */
  get failure(): string | undefined {
    return this.#failure.why
  }
  field(name: string): JsonReader {
    const of = this.#value
    const value = typeof of === 'object' && of !== null && !Array.isArray(of) && Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined
    return new JsonReader(value, this.#place === '' ? name : `${this.#place}.${name}`, this.#failure)
  }
  get absent(): boolean {
    return this.#value === undefined
  }
  text(pattern: RegExp, limit = 256): string {
    const v = this.#value
    return typeof v === 'string' && v.length <= limit && pattern.test(v) ? v : this.fail('')
  }
  integer(most: number): number {
    const v = this.#value
    return typeof v === 'number' && Number.isInteger(v) && v >= 0 && v <= most ? v : this.fail(0)
  }
  oneOf<T extends string>(values: readonly T[]): T {
    return values.find((v) => v === this.#value) ?? this.fail(values[0]!)
  }
  list<T>(most: number, read: (item: JsonReader) => T): T[] {
    const v = this.#value
    if (!Array.isArray(v) || v.length > most) return this.fail([])
    return v.map((item, i) => read(new JsonReader(item, `${this.#place}[${i}]`, this.#failure)))
  }
  fail<T>(instead: T): T {
    this.#failure.why ??= this.#place === '' ? 'malformed' : this.#place
    return instead
  }
}
