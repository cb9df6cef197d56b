/** The language of the terminal: English, or German where the environment says so. JSON is for programs and stays as it is. */
import type { Fault } from '../base/result.ts'
import { inGerman } from '../base/faults/german/translate.ts'

export type Language = 'en' | 'de'

/** `STC_LANGUAGE`, else what POSIX says of messages. */
export function languageOf(env: NodeJS.ProcessEnv = process.env): Language {
  const named = [env['STC_LANGUAGE'], env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((v) => v !== undefined && v !== '')
  return named !== undefined && /^de\b|^de_/i.test(named) ? 'de' : 'en'
}

/** What happened and what to do, as people read it. */
export const faultText = (f: Pick<Fault, 'message'> & { readonly code: string }, language = languageOf()): string => (language === 'de' ? inGerman(f) : f.message)
