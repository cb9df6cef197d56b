/** Passwords that two people agreed on for calls between them, by number. One JSON file that its owner alone reads, replaced as a whole. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { utf8 } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { replaceFile } from './atomic-file.ts'

const LIMIT = 1000
export const PASSWORD_LIMIT = 256
const NUMBER_LIMIT = 256
const content = z.object({ version: z.literal(1), passwords: z.record(z.string().min(1).max(NUMBER_LIMIT), z.string().min(1).max(PASSWORD_LIMIT)) })

/** A file that is not there holds none. */
export function readPasswords(file: string): Result<ReadonlyMap<string, string>> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' ? ok(new Map()) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
  try {
    const parsed = content.safeParse(JSON.parse(text))
    return parsed.success ? ok(new Map(Object.entries(parsed.data.passwords))) : err('STORE_DAMAGED', file)
  } catch {
    return err('STORE_DAMAGED', file)
  }
}

/** Undefined: no password for this number any more. */
export function writePassword(file: string, number: string, password: string | undefined): Result<void> {
  // What could not be read again would take all the others with it.
  if (number.length === 0 || number.length > NUMBER_LIMIT) return err('CALL_PASSWORD', `a number of ${number.length} characters`)
  if (password !== undefined && (password.length === 0 || password.length > PASSWORD_LIMIT)) return err('CALL_PASSWORD', `${password.length} characters`)
  const before = readPasswords(file)
  if (!before.ok) return before
  const all = new Map(before.value)
  all.delete(number)
  if (password !== undefined) all.set(number, password)
  if (all.size > LIMIT) return err('STORE_UNWRITABLE', `${file} (${LIMIT} passwords at most)`)
  return replaceFile(file, utf8(JSON.stringify({ version: 1, passwords: Object.fromEntries(all) })))
}
