/** Judges pieces of what somebody hears, one after the other, where others are heard whole and its own tone should not be. */
export class OwnEcho {
  #first: number | undefined

  /**
   * `at`, `length`: the last piece that was recorded, in one unit. `others`: each of them is heard in every window of it. `own`: its own tone is.
   * True as soon as there are two such pieces in a row that do not overlap: where a tone begins it clicks at every frequency, and that click is in
   * one; where the others stumble, it is theirs.
   */
  heard(at: number, length: number, others: boolean, own: boolean): boolean {
    if (!others || !own) this.#first = undefined
    else this.#first ??= at
    return this.#first !== undefined && at >= this.#first + length
  }
}
