/** The newest generation of each sealed key that this user has seen on this machine: an older copy that comes back is noticed. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { ok, type Result } from '../base/result.ts'
import { replaceFile } from './atomic-file.ts'

/** Apart from the key's own folder, so that whoever puts back that folder does not put back this one. */
export const stateFolder = (): string => path.join(process.env['XDG_STATE_HOME'] ?? path.join(homedir(), '.local', 'state'), 'stc')

const placeOf = (keyFile: string, folder: string): string => path.join(folder, `key-${createHash('sha256').update(path.resolve(keyFile)).digest('hex').slice(0, 32)}`)

/** 0: none yet, or it cannot be read. */
export function seenGeneration(keyFile: string, folder = stateFolder()): number {
  try {
    const n = Number(readFileSync(placeOf(keyFile, folder), 'latin1').trim())
    return Number.isSafeInteger(n) && n > 0 ? n : 0
  } catch {
    return 0
  }
}

/** Never lower than before. */
export function rememberGeneration(keyFile: string, generation: number, folder = stateFolder()): Result<undefined> {
  return generation <= seenGeneration(keyFile, folder) ? ok(undefined) : replaceFile(placeOf(keyFile, folder), Buffer.from(`${generation}\n`))
}
