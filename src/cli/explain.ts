/** `stc explain CODE`: what a fault means, what to do about it, and where to look further. */
import type { Command } from 'commander'
import { type FaultCode, type FaultEntry, faultTable } from '../base/faults/index.ts'
import { germanOf } from '../base/faults/german/translate.ts'
import { areaOf, nearest } from './fault-areas.ts'
import { type Language, languageOf } from './language.ts'
import { answer, complain, EXIT } from './output.ts'

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('say what a fault code means and what to do about it; without a code, list them')
    .argument('[code]', 'as it stands in brackets behind a complaint, or the beginning of it')
    .action((code: string | undefined) => explain(code))
}

export interface Explanation {
  readonly code: FaultCode
  readonly what: string
  readonly todo: string
  readonly area: string
  /** A command or document that goes further. */
  readonly further: string
}

export function explanationOf(code: FaultCode): Explanation {
  const { name, further } = areaOf(code)
  return { code, ...faultTable[code], area: name, further }
}

function explain(asked: string | undefined): void {
  const codes = Object.keys(faultTable) as FaultCode[]
  const wanted = asked?.trim().replace(/^\[|\]$/g, '').toUpperCase()
  const found = wanted === undefined ? codes : codes.includes(wanted as FaultCode) ? [wanted as FaultCode] : codes.filter((c) => c.startsWith(wanted))
  if (found.length === 0) {
    const near = nearest(wanted!, codes)
    complain(`stc: there is no fault "${asked}"${near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`}`)
    if (near.length === 0) complain('     "stc explain" lists all of them')
    process.exitCode = EXIT.usage
    return
  }
  const all = found.map(explanationOf)
  if (all.length === 1) return answer(all[0], linesOf(all[0]!, languageOf()))
  const width = Math.max(...found.map((c) => c.length))
  answer(all, all.map((e) => `${e.code.padEnd(width)}  ${wordsOf(e, languageOf()).what}`))
}

const wordsOf = (e: Explanation, language: Language): FaultEntry => (language === 'de' ? germanOf(e.code) : undefined) ?? e

export function linesOf(e: Explanation, language: Language): string[] {
  const { what, todo } = wordsOf(e, language)
  if (language === 'en') return [e.code, `  what        ${what}.`, `  what to do  ${todo}`, `  about       ${e.area}`, `  look at     ${e.further}`]
  const { name, further } = areaOf(e.code).german
  return [e.code, `  was         ${what}.`, `  was tun     ${todo}`, `  worum       ${name}`, `  siehe       ${further}`]
}
