/** What a doctor found, in plain words with the next step, the same way for all of them. */
import type { Finding } from '../../server/pbx/examine.ts'
import { languageOf } from '../language.ts'
import { answer, EXIT } from '../output.ts'
import { doctorGerman } from './german.ts'

export type { Finding } from '../../server/pbx/examine.ts'

export const good = (text: string): Finding => ({ level: 'good', text })
export const wrong = (text: string, todo: string): Finding => ({ level: 'wrong', text, todo })
export const risky = (text: string, todo: string): Finding => ({ level: 'risky', text, todo })
export const unknown = (text: string, todo?: string): Finding => ({ level: 'unknown', text, ...(todo === undefined ? {} : { todo }) })
/** A fault's message is what happened and what to do in one. */
export const ofFault = (f: { readonly code: string; readonly message: string }, level: 'wrong' | 'risky' = 'wrong'): Finding => ({ level, text: `${f.message} [${f.code}]`, todo: `stc explain ${f.code}` })

const WORDS = {
  en: { mark: { good: 'ok   ', wrong: 'WRONG', risky: 'risky', unknown: '?    ' }, wrong: 'wrong', risky: 'risky', good: 'in order', unknown: 'not known', of: (t: string): string => t },
  de: { mark: { good: 'ok    ', wrong: 'FALSCH', risky: 'heikel', unknown: '?     ' }, wrong: 'falsch', risky: 'heikel', good: 'in Ordnung', unknown: 'nicht bekannt', of: (t: string): string => doctorGerman(t) ?? t },
} as const

export function showFindings(found: readonly Finding[]): void {
  const count = (level: Finding['level']): number => found.filter((f) => f.level === level).length
  const w = WORDS[languageOf()]
  answer({ findings: found, wrong: count('wrong'), risky: count('risky'), good: count('good'), unknown: count('unknown') }, [
    ...found.flatMap((f) => [`${w.mark[f.level]} ${w.of(f.text)}`, ...(f.todo === undefined ? [] : [`      → ${w.of(f.todo)}`])]),
    `${count('wrong')} ${w.wrong}, ${count('risky')} ${w.risky}, ${count('good')} ${w.good}${count('unknown') > 0 ? `, ${count('unknown')} ${w.unknown}` : ''}`,
  ])
  process.exitCode = count('wrong') > 0 ? EXIT.failed : EXIT.ok
}
