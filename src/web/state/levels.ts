/** Levels come ten times a second for everybody: they go straight to the meters that are on the screen, past all drawing. */
export class Levels {
  readonly #meters = new Map<string, Set<(level: number) => void>>()

  /** `who`: a stream, or `own`. Levels are −dBov: 0 loudest, 127 silence. */
  watch(call: number, who: number | 'own', show: (level: number) => void): () => void {
    const key = `${call} ${who}`
    const all = this.#meters.get(key) ?? new Set()
    all.add(show)
    this.#meters.set(key, all)
    return () => {
      all.delete(show)
      if (all.size === 0) this.#meters.delete(key)
    }
  }
  set(call: number, own: number, levels: readonly (readonly [number, number])[]): void {
    this.#tell(`${call} own`, own)
    for (const [ssrc, level] of levels) this.#tell(`${call} ${ssrc}`, level)
  }
  #tell(key: string, level: number): void {
    for (const show of this.#meters.get(key) ?? []) show(level)
  }
}

/** 0 to 1 of a meter's length; speech lies between −50 and −10 dBov. */
export const lengthOf = (level: number): number => Math.max(0, Math.min(1, (60 - level) / 50))
/** Louder than this is speech, not room. */
export const SPEAKING = 45
