/** Where rosters and what happens are shown line by line: in colours where there is a screen, in the language of whoever reads. */
import type { Terminal } from '../client/terminal.ts'
import type { CallEvent, Roster } from '../model/roster.ts'
import { rosterGerman } from './german/roster.ts'
import { languageOf } from './language.ts'
import { speaksJson } from './output.ts'

export const plainTerminal = (write: (line: string) => void): Terminal => ({ write, colours: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined, ...rosterWords() })

/** Programs read English. */
export const rosterWords = (): Pick<Terminal, 'words'> => (languageOf() === 'de' && !speaksJson() ? { words: rosterGerman } : {})

/**
 * When a roster is to be printed: whenever what was printed last says too little of whose phone can be overheard, and not at each turn
 * of somebody who goes back and forth. That it no longer can stands in the next one.
 */
export class RosterPrints {
  readonly #plain = new WeakMap<object, Set<string>>()

  /** `anyway`: for another reason. */
  isDue(call: { readonly roster: Roster }, e: CallEvent, anyway: boolean): boolean {
    const plain = new Set(call.roster.members.filter((m) => m.phoneLeg === 'plain-lan').map((m) => m.identity.keyId))
    const leg = e.kind === 'phone-leg' && call.roster.phase === 'member'
    const before = this.#plain.get(call) ?? new Set()
    const due = anyway || (leg && (e.leaf === undefined || [...plain].some((k) => !before.has(k))))
    if (due) this.#plain.set(call, anyway ? plain : new Set([...before, ...plain]))
    return due
  }
}
