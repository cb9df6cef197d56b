/** What Intel publishes about platforms, from files as "stc attestation fetch" writes them. */
import { readFileSync, statSync } from 'node:fs'
import { type Result, err, ok } from '../base/result.ts'
import { COLLATERAL_OCTETS_LIMIT, decodeCollateral } from '../protocol/sgx/collateral.ts'

/** The octets, when their form is right: what is in them the vaults judge. */
export function readCollateral(file: string): Result<Uint8Array> {
  try {
    if (statSync(file).size > 2 * COLLATERAL_OCTETS_LIMIT) return err('IDENTITY_FILE_TOO_LARGE', file)
    const octets = new Uint8Array(readFileSync(file))
    const decoded = decodeCollateral(octets)
    return decoded.ok ? ok(octets) : err('ATTESTATION_COLLATERAL', `${file}: ${decoded.fault.message}`)
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' ? err('IDENTITY_FILE_MISSING', file) : err('IDENTITY_FILE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
}
