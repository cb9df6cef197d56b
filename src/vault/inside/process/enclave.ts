/** The SGX enclave that this process runs in, as Gramine shows it: files of /dev/attestation, which the enclave itself answers. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Result, err, ok } from '../../../base/result.ts'
import type { Quoter } from '../identity-keeper.ts'

const DEVICE = '/dev/attestation'
const REPORT_DATA = 64
const SEALING_KEY = 16

export interface Enclave {
  readonly quoter: Quoter
  /** Of this program on this processor: another program, or another machine, gets another. */
  sealingKey(): Uint8Array | undefined
}

/** Undefined outside, where nothing of it can be read: an ordinary vault has no permission to look. */
export function openEnclave(): Enclave | undefined {
  try {
    if (readFileSync(`${DEVICE}/attestation_type`, 'latin1').trim() !== 'dcap') return undefined
  } catch {
    return undefined
  }
  return { quoter, sealingKey }
}

/** What is written is what the next quote is made for; only the thread with the keys does this. */
const quoter: Quoter = (reportData) => {
  if (reportData.length !== REPORT_DATA) throw new RangeError(`report data of ${reportData.length} octets`)
  try {
    writeFileSync(`${DEVICE}/user_report_data`, reportData)
    return quoteOf(new Uint8Array(readFileSync(`${DEVICE}/quote`)))
  } catch (e) {
    return err('ATTESTATION_DEVICE', (e as NodeJS.ErrnoException).code ?? 'unknown reason')
  }
}
const quoteOf = (octets: Uint8Array): Result<Uint8Array> => (octets.length === 0 ? err('ATTESTATION_DEVICE', 'an empty quote') : ok(octets))

function sealingKey(): Uint8Array | undefined {
  try {
    const key = new Uint8Array(readFileSync(`${DEVICE}/keys/_sgx_mrenclave`))
    return key.length === SEALING_KEY ? key : undefined
  } catch {
    return undefined
  }
}
