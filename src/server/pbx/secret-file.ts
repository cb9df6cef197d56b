import { readFileSync } from 'node:fs'
import { utf8 } from '../../base/bytes.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { Secret } from '../../base/secret.ts'

/** The secret of the manager account: one line of its own file, so that the configuration can be shown to others. */
export function readSecret(file: string): Result<Secret> {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (e) {
    return err('PBX_SECRET', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unreadable'})`)
  }
  return text === '' || text.length > 256 ? err('PBX_SECRET', `${file} has ${text.length} characters`) : ok(new Secret(utf8(text)))
}
