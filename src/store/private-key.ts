/** A private key from PEM text, for whoever may see it. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { type Result, err, ok } from '../base/result.ts'
import { decodePem } from '../protocol/x509/pem.ts'
import { type KeyUnlock, openSealedKey, SEALED_LABEL, sealKey } from './sealed-key.ts'

export { type KeyUnlock, sealKey }

const PRIVATE_LABELS = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', SEALED_LABEL]

/** The first one, as PKCS#8, DER. `name` is the file's, for complaints. */
export function privateKeyOf(pem: string, name: string, unlock: KeyUnlock = {}): Result<Uint8Array> {
  const { passphrase } = unlock
  const block = decodePem(pem).find((b) => PRIVATE_LABELS.includes(b.label))
  if (block === undefined) return err('IDENTITY_FILE_NO_KEY', name)
  const encrypted = block.label.startsWith('ENCRYPTED') || /^Proc-Type: 4,ENCRYPTED/m.test(block.text)
  if (!encrypted && block.bytes === undefined) return err('IDENTITY_FILE_DAMAGED', name)
  if (block.label === SEALED_LABEL) return openSealedKey(block.bytes!, name, unlock)
  if (encrypted && passphrase === undefined) return err('IDENTITY_PASSPHRASE_NEEDED', name)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: block.text, format: 'pem', ...(encrypted && passphrase !== undefined ? { passphrase } : {}) })
  } catch {
    return err(encrypted ? 'IDENTITY_PASSPHRASE_WRONG' : 'IDENTITY_KEY_UNREADABLE', name)
  }
  return ok(Uint8Array.from(key.export({ format: 'der', type: 'pkcs8' })))
}
