/** Where the vault's own key comes from: given, in the file that was open at the start, or as that file's text. What it was read from is wiped. */
import { closeSync, readFileSync } from 'node:fs'
import { type Result, err, ok } from '../../../base/result.ts'
import { type KeyUnlock, privateKeyOf, sealKey } from '../../../store/private-key.ts'
import type { ProcessOptions, Sealing } from '../../api/call-shapes.ts'
import type { Enclave } from './enclave.ts'

/** The file of the key, given open. */
const KEY_FD = 4

type Source = { readonly [K in 'pkcs8' | 'keyText' | 'keyFile' | 'unlock']: ProcessOptions[K] | undefined }

export function ownKey({ pkcs8, keyText, keyFile = '', unlock }: Source, enclave: Enclave | undefined): Result<Uint8Array> {
  if (pkcs8 !== undefined) return ok(pkcs8)
  const text = keyText === undefined ? readFile(keyFile) : ok(keyText)
  return text.ok ? keyIn(text.value, keyFile, unlock, enclave?.sealingKey()) : text
}

/** The key comes as it lies on the disk, once, and goes out for this program on this processor alone. */
export function sealFor(enclave: Enclave | undefined, { keyText, keyFile, unlock, generation }: Sealing): Result<string> {
  const secret = enclave?.sealingKey()
  if (secret === undefined) return err('IDENTITY_ENCLAVE_ONLY', 'this vault runs in none')
  const key = keyIn(keyText, keyFile, unlock, secret.slice())
  if (!key.ok) return key
  const sealed = sealKey(key.value, { lock: 'enclave', with: secret, generation })
  key.value.fill(0)
  secret.fill(0)
  return ok(sealed)
}

function keyIn(pem: Uint8Array, name: string, unlock: KeyUnlock | undefined, enclaveKey: Uint8Array | undefined): Result<Uint8Array> {
  const key = privateKeyOf(Buffer.from(pem.buffer, pem.byteOffset, pem.length).toString('latin1'), name, { ...unlock, ...(enclaveKey === undefined ? {} : { enclaveKey }) })
  for (const secret of [unlock?.secret, enclaveKey, pem]) secret?.fill(0)
  return key
}

/** The host opened it and has not read it. */
function readFile(name: string): Result<Uint8Array> {
  try {
    const pem = readFileSync(KEY_FD)
    closeSync(KEY_FD)
    return ok(pem)
  } catch (e) {
    return err('IDENTITY_FILE_UNREADABLE', `${name} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
}
