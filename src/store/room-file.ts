/** What is remembered of rooms on disk, client's and server's alike. Each part is signed; that an older copy of the file was put back is for its owner to prevent. */
import { readFileSync } from 'node:fs'
import { concat } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { type RoomContent, decodeRooms, encodeRooms } from '../protocol/policy/index.ts'
import { replaceFile } from './atomic-file.ts'

/** Empty where there is no file yet. */
export function readRooms(file: string): Result<RoomContent> {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' ? ok({ policies: [], notices: [] }) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
  return decodeRooms(concat(bytes), file)
}

export const writeRooms = (file: string, c: RoomContent): Result<undefined> => replaceFile(file, encodeRooms(c))
