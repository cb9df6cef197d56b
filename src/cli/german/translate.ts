/** Sentences by pattern: as they are said in English, with {1}, {2}… for their particulars. */
import { inGerman } from '../../base/faults/german/translate.ts'

export type Sentences = readonly (readonly [english: string, german: string])[]
/** Undefined: nobody has put that into German. */
export type Translate = (sentence: string) => string | undefined

/** Faults inside have their words from the registry; particulars are sentences too, where they are known. */
export function translator(sentences: Sentences): Translate {
  const patterns = sentences.map(([english, german]) => {
    const parts = english.split(/\{\d\}/).map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return { pattern: new RegExp(`^${parts.join('([\\s\\S]+?)')}$`), german }
  })
  const translate: Translate = (sentence) => {
    const fault = /^([\s\S]*) \[([A-Z][A-Z0-9_]+)\]$/.exec(sentence)
    if (fault !== null) {
      const german = inGerman({ code: fault[2]!, message: fault[1]! })
      if (german !== fault[1]) return `${german} [${fault[2]}]`
    }
    for (const { pattern, german } of patterns) {
      const found = pattern.exec(sentence)
      if (found !== null) return german.replace(/\{(\d)\}/g, (_, n: string) => translate(found[Number(n)]!) ?? found[Number(n)]!)
    }
    return undefined
  }
  return translate
}
