/** Puts our blocks into the configuration files of an Asterisk: between marks, so that a second time replaces them and nothing else. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { err, ok, type Result } from '../../base/result.ts'
import { type AsteriskFile, FILES } from './asterisk-config.ts'

const BEGIN = ';--- stc: written by "stc server asterisk-config", replaced by the next ---'
const END = ';--- stc: end ---'

/** FreePBX writes the files themselves and leaves `_custom` ones to others. */
export function isFreePbx(etc: string): boolean {
  const file = path.join(etc, 'extensions.conf')
  return existsSync(file) && /^\s*#(try)?include\s+"?extensions_custom\.conf/m.test(readFileSync(file, 'utf8'))
}

export const fileFor = (etc: string, file: AsteriskFile, freePbx: boolean): string => path.join(etc, `${file}${freePbx ? '_custom' : ''}.conf`)

/** The block that is in a file now. */
export function readBlock(file: string): string | undefined {
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  return from < 0 || to < from ? undefined : text.slice(from + BEGIN.length, to).trim()
}

export function withBlock(text: string, block: string): string {
  const whole = `${BEGIN}\n${block}\n${END}\n`
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from >= 0 && to > from) return text.slice(0, from) + whole + text.slice(to + END.length).replace(/^\n/, '')
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}\n${whole}`
}

/** Sections of ours that somebody else has defined in the same file: Asterisk would mix the two. */
export function clashes(text: string, block: string): string[] {
  const others = withBlock(text, '')
  return [...block.matchAll(/^\[([^\]]+)\]$/gm)].map((m) => m[1]!).filter((name, i, all) => all.indexOf(name) === i && others.includes(`\n[${name}]`))
}

/** Gives the files that were written. */
export function writeBlocks(etc: string, blocks: Readonly<Record<AsteriskFile, string>>, freePbx: boolean): Result<string[]> {
  const written: string[] = []
  for (const f of FILES) {
    const file = fileFor(etc, f, freePbx)
    try {
      const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
      const clash = clashes(before, blocks[f])
      if (clash.length > 0) return err('CONFIG_WRONG', `${file} has sections of its own called ${clash.join(', ')}; rename them`)
      const after = withBlock(before, blocks[f])
      if (after === before) continue
      const isNew = !existsSync(file)
      writeFileSync(file, after, isNew ? { mode: 0o640 } : {})
      // It has a secret now; who owned it before still reads it.
      if (f === 'manager' || f === 'pjsip') chmodSync(file, statSync(file).mode & 0o770)
      written.push(file)
    } catch (e) {
      return err('CONFIG_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'cannot be written'})`)
    }
  }
  return ok(written)
}
