/** Where rosters and what happens are shown line by line: in colours where there is a screen, in the language of whoever reads. */
import type { Terminal } from '../client/terminal.ts'
import { rosterGerman } from './german/roster.ts'
import { languageOf } from './language.ts'
import { speaksJson } from './output.ts'

export const plainTerminal = (write: (line: string) => void): Terminal => ({ write, colours: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined, ...rosterWords() })

/** Programs read English. */
export const rosterWords = (): Pick<Terminal, 'words'> => (languageOf() === 'de' && !speaksJson() ? { words: rosterGerman } : {})
