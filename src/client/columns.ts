/** How wide a text stands on a terminal, and what of it fits. */

/** Two columns: East Asian wide and fullwidth (Unicode UAX #11), and pictures. */
const WIDE = /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** None: marks that stand on the character before, and what only says how to read. */
const NOTHING = /[\p{Mn}\p{Me}\p{Cf}]/u
const [ISOLATE, END] = ['\u2068', '\u2069']

const columnsOf = (character: string): number => (NOTHING.test(character) ? 0 : WIDE.test(character) ? 2 : 1)

export const columns = (text: string): number => [...text].reduce((sum, c) => sum + columnsOf(c), 0)

/** At most `width` columns of it, `…` where something is missing; what it isolates (UAX #9) ends with it. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text
  let out = ''
  let open = 0
  let left = Math.max(0, width - 1)
  for (const c of text) {
    left -= columnsOf(c)
    if (left < 0) break
    open += c === ISOLATE ? 1 : c === END ? -1 : 0
    out += c
  }
  return `${out}${END.repeat(Math.max(0, open))}…`
}
