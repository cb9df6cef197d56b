/** People on the command line: by the key that a roster shows, or by their certificate's file. */
import { toHex } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { readCertificates } from '../store/identity-file.ts'

/** SHA-256 of the public key, hex: given as such, or of the first certificate of a PEM file. */
export function keyArgument(text: string): Result<string> {
  if (/^[0-9a-f]{64}$/i.test(text)) return ok(text.toLowerCase())
  const ders = readCertificates(text)
  if (!ders.ok) return ders
  const certificate = parseCertificate(ders.value[0]!)
  return certificate.ok ? ok(toHex(createNodeCrypto().hash('sha256', certificate.value.spki))) : certificate
}

/** All of them, or the first that is none. */
export function keyArguments(texts: readonly string[]): Result<string[]> {
  const keys: string[] = []
  for (const t of texts) {
    const key = keyArgument(t)
    if (!key.ok) return err(key.fault.code, t, key.fault)
    keys.push(key.value)
  }
  return ok(keys)
}
