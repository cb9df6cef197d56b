import type { VNode } from 'preact'

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#']
const LETTERS: Readonly<Record<string, string>> = { 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ' }

/** Twelve keys, as on every telephone. */
export const Keypad = ({ onKey }: { readonly onKey: (digit: string) => void }): VNode => (
  <div class="keypad">
    {KEYS.map((k) => <button type="button" key={k} onClick={() => onKey(k)}><span>{k}</span> <small>{LETTERS[k] ?? ''}</small></button>)}
  </div>
)
