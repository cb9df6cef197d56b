/** Revocation lists from files, PEM or DER, as authorities hand them out. */
import { readFileSync, statSync } from 'node:fs'
import { type Result, err, ok } from '../base/result.ts'
import type { RevocationProof } from '../model/trust.ts'
import { CRL_OCTETS_LIMIT, parseRevocationList } from '../protocol/x509/crl.ts'
import { decodePem } from '../protocol/x509/pem.ts'

/** All lists of a file. */
export function readLists(file: string): Result<RevocationProof[]> {
  let bytes: Uint8Array
  try {
    if (statSync(file).size > 2 * CRL_OCTETS_LIMIT) return err('IDENTITY_FILE_TOO_LARGE', file)
    bytes = readFileSync(file)
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOENT' ? err('IDENTITY_FILE_MISSING', file) : err('IDENTITY_FILE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
  const blocks = decodePem(Buffer.from(bytes).toString('latin1')).filter((b) => b.label === 'X509 CRL')
  const ders = blocks.length === 0 ? [new Uint8Array(bytes)] : blocks.map((b) => b.bytes)
  const proofs: RevocationProof[] = []
  for (const der of ders) {
    if (der === undefined) return err('IDENTITY_FILE_DAMAGED', file)
    const parsed = parseRevocationList(der)
    if (!parsed.ok) return err(parsed.fault.code, file, parsed.fault)
    proofs.push({ kind: 'crl', der })
  }
  return ok(proofs)
}

/** When the file was written, or undefined while it is not there. */
export const listChangedAt = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.mtimeMs
