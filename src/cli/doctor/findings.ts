/** What a doctor found, in plain words with the next step, the same way for all of them. */
import type { Finding } from '../../server/pbx/examine.ts'
import { answer, EXIT } from '../output.ts'

export type { Finding } from '../../server/pbx/examine.ts'

export const good = (text: string): Finding => ({ level: 'good', text })
export const wrong = (text: string, todo: string): Finding => ({ level: 'wrong', text, todo })
export const risky = (text: string, todo: string): Finding => ({ level: 'risky', text, todo })
export const unknown = (text: string, todo?: string): Finding => ({ level: 'unknown', text, ...(todo === undefined ? {} : { todo }) })
/** A fault's message is what happened and what to do in one. */
export const ofFault = (f: { readonly code: string; readonly message: string }, level: 'wrong' | 'risky' = 'wrong'): Finding => ({ level, text: `${f.message} [${f.code}]`, todo: `stc explain ${f.code}` })

const MARK = { good: 'ok   ', wrong: 'WRONG', risky: 'risky', unknown: '?    ' } as const

export function showFindings(found: readonly Finding[]): void {
  const count = (level: Finding['level']): number => found.filter((f) => f.level === level).length
  answer({ findings: found, wrong: count('wrong'), risky: count('risky'), good: count('good'), unknown: count('unknown') }, [
    ...found.flatMap((f) => [`${MARK[f.level]} ${f.text}`, ...(f.todo === undefined ? [] : [`      → ${f.todo}`])]),
    `${count('wrong')} wrong, ${count('risky')} risky, ${count('good')} in order${count('unknown') > 0 ? `, ${count('unknown')} not known` : ''}`,
  ])
  process.exitCode = count('wrong') > 0 ? EXIT.failed : EXIT.ok
}
