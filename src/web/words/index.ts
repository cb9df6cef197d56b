/** The language of the page: the user's choice, else the browser's, else English. */
import { useEffect, useState } from 'preact/hooks'
import { de } from './de.ts'
import { en, type Words } from './en.ts'

export type { Words } from './en.ts'

export const LANGUAGES = { en, de } as const satisfies Record<string, Words>
export type Language = keyof typeof LANGUAGES

const KEY = 'stc-language'
const known = (l: string | null | undefined): l is Language => l !== null && l !== undefined && Object.hasOwn(LANGUAGES, l)
const first = (): Language => {
  const chosen = localStorage.getItem(KEY)
  if (known(chosen)) return chosen
  return navigator.languages.map((l) => l.slice(0, 2)).find(known) ?? 'en'
}

let language = first()
const listeners = new Set<() => void>()
document.documentElement.lang = language

/** Words for every fault, for who does not read English: fetched when they are wanted. */
let translate: ((f: { readonly code: string; readonly message: string }) => string) | undefined
async function fetchFaults(): Promise<void> {
  if (language === 'en' || translate !== undefined) return
  const { inGerman } = await import('../../base/faults/german/translate.ts')
  translate = inGerman
  redraw()
}
const redraw = (): void => {
  for (const f of [...listeners]) f()
}
void fetchFaults()

export const currentLanguage = (): Language => language
export function speakLanguage(l: Language): void {
  language = l
  localStorage.setItem(KEY, l)
  document.documentElement.lang = l
  redraw()
  void fetchFaults()
}

/** The words of now; redraws the caller when the language changes. */
export function useWords(): Words {
  const [, redraw] = useState(0)
  useEffect(() => {
    const f = (): void => redraw((n) => n + 1)
    listeners.add(f)
    return () => void listeners.delete(f)
  }, [])
  return LANGUAGES[language]
}

/** Making one costs more than using it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>()
function format(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${kind}`
  const made = formats.get(key) ?? new Intl.DateTimeFormat(language, options)
  formats.set(key, made)
  return made
}
export const timeOfDay = (unixMs: number): string => format('time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(unixMs)
/** Today's without its day. */
export const dayAndTime = (unixMs: number): string => (new Date(unixMs).toDateString() === new Date().toDateString() ? timeOfDay(unixMs) : format('day and time', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }).format(unixMs))
export const day = (unixSeconds: number): string => format('day', { dateStyle: 'medium' }).format(unixSeconds * 1000)

/** What is wrong, in the language of the page where it has words for it. */
export const faultWords = (w: Words, f: { readonly code: string; readonly message: string }): string => w.faults[f.code] ?? ((language === 'en' ? f.message : translate?.(f) ?? f.message) || f.code)

/** The start of a key, to tell people apart by. */
export const keyWords = (keyId: string): string => keyId.slice(0, 8).replace(/(.{4})/, '$1 ')
