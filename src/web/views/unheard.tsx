import type { VNode } from 'preact'
import { useWords } from '../words/index.ts'

/** What came could not be opened, or nothing came: in words, and the code for whoever looks it up. */
export function Unheard({ code }: { readonly code: string }): VNode {
  const w = useWords()
  return <>{w.faults[code] ?? w.members.unopened} <code>{code}</code></>
}
