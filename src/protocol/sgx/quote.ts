/**
 * DCAP quotes (Intel SGX ECDSA Quote Library Reference §A, Intel TDX DCAP Quoting Library API §A.3), little-endian:
 * header (48) ‖ body (SGX report 384, TD report 584 or 648) ‖ length (4) ‖ signature data. Nothing is verified here.
 */
import { ByteReader } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'

export const QUOTE_OCTETS_LIMIT = 16_384
const HEADER = 48
export const SGX_REPORT = 384
const TD_REPORT = { 2: 584, 3: 648 } as const
const ECDSA_P256 = 2
const TEE_SGX = 0x00
const TEE_TDX = 0x81
/** Certification data (§A.4, table 9): the PCK chain in PEM; a quoting enclave's report with such data inside. */
const PCK_CHAIN = 5
const QE_REPORT = 6

export interface SgxReport {
  readonly tee: 'sgx'
  readonly miscSelect: Uint8Array
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  readonly reportData: Uint8Array
}

export interface TdReport {
  readonly tee: 'tdx'
  /** Security versions of the TDX module and its parts. */
  readonly tcbSvn: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: Uint8Array
  readonly mrTd: Uint8Array
  readonly reportData: Uint8Array
}

export interface Quote {
  readonly version: 3 | 4 | 5
  readonly body: SgxReport | TdReport
  /** Header and body, over which the attestation key signed. */
  readonly signed: Uint8Array
  /** r ‖ s. */
  readonly signature: Uint8Array
  /** Point of P-256, x ‖ y. */
  readonly attestationKey: Uint8Array
  readonly qe: { readonly report: SgxReport; readonly bytes: Uint8Array; readonly signature: Uint8Array; readonly authData: Uint8Array }
  /** PEM: processor's certificate, its issuer, root. */
  readonly pckChain: Uint8Array
}

class LittleReader extends ByteReader {
  le16(): number {
    return this.u8() | (this.u8() << 8)
  }
  le32(): number {
    return this.le16() + this.le16() * 0x10000
  }
}

export function parseQuote(bytes: Uint8Array): Result<Quote> {
  if (bytes.length > QUOTE_OCTETS_LIMIT) return err('ATTESTATION_MALFORMED', `${bytes.length} octets`)
  const r = new LittleReader(bytes)
  const [version, keyType, tee] = [r.le16(), r.le16(), r.le32()]
  r.take(HEADER - 8)
  if (version !== 3 && version !== 4 && version !== 5) return err('ATTESTATION_UNSUPPORTED', `version ${version}`)
  if (keyType !== ECDSA_P256) return err('ATTESTATION_UNSUPPORTED', `attestation key of type ${keyType}`)
  const body = readBody(r, version, version === 3 ? TEE_SGX : tee)
  if (body === undefined) return err('ATTESTATION_UNSUPPORTED', 'body of an unknown kind')
  const signed = bytes.subarray(0, r.at)
  // What follows the signature data is padding that nobody signed.
  const data = new LittleReader(r.take(r.le32()))
  if (r.failed) return err('ATTESTATION_MALFORMED', 'cut short')
  const signature = data.take(64)
  const attestationKey = data.take(64)
  const certification = version === 3 ? data : certificationData(data, QE_REPORT)
  const qe = readQe(certification)
  const chain = certificationData(certification, PCK_CHAIN)
  if (data.failed || certification.failed || chain.failed || !certification.done || !data.done) return err('ATTESTATION_MALFORMED', 'signature data')
  return ok({ version, body, signed, signature, attestationKey, qe, pckChain: chain.rest() })
}

function readBody(r: LittleReader, version: 3 | 4 | 5, tee: number): SgxReport | TdReport | undefined {
  if (version < 5) {
    if (tee === TEE_SGX) return readSgxReport(new LittleReader(r.take(SGX_REPORT)))
    return tee === TEE_TDX ? readTdReport(new LittleReader(r.take(TD_REPORT[2]))) : undefined
  }
  const type = r.le16()
  const body = new LittleReader(r.take(r.le32()))
  if (type === 1 && body.left === SGX_REPORT) return readSgxReport(body)
  return (type === 2 || type === 3) && body.left === TD_REPORT[type] ? readTdReport(body) : undefined
}

/** Table 5: cpuSvn (16), miscSelect (4), reserved (12), extProdId (16), attributes (16), mrEnclave (32), reserved (32), mrSigner (32) … */
export function readSgxReport(r: LittleReader): SgxReport {
  r.take(16)
  const miscSelect = r.take(4)
  r.take(28)
  const attributes = r.take(16)
  const mrEnclave = r.take(32)
  r.take(32)
  const mrSigner = r.take(32)
  r.take(96)
  const [isvProdId, isvSvn] = [r.le16(), r.le16()]
  r.take(60)
  return { tee: 'sgx', miscSelect, attributes, mrEnclave, mrSigner, isvProdId, isvSvn, reportData: r.take(64) }
}

/** §A.3.2: teeTcbSvn (16), mrSeam (48), mrSignerSeam (48), seamAttributes (8), tdAttributes (8), xfam (8), mrTd (48) … */
function readTdReport(r: LittleReader): TdReport {
  const tcbSvn = r.take(16)
  r.take(48)
  const mrSignerSeam = r.take(48)
  const seamAttributes = r.take(8)
  const tdAttributes = r.take(8)
  r.take(8)
  const mrTd = r.take(48)
  r.take(336)
  return { tee: 'tdx', tcbSvn, mrSignerSeam, seamAttributes, tdAttributes, mrTd, reportData: r.take(64) }
}

function readQe(r: LittleReader): Quote['qe'] {
  const bytes = r.take(SGX_REPORT)
  const signature = r.take(64)
  const authData = r.take(r.le16())
  return { report: readSgxReport(new LittleReader(bytes)), bytes, signature, authData }
}

function certificationData(r: LittleReader, wanted: number): LittleReader {
  const type = r.le16()
  const content = new LittleReader(r.take(r.le32()))
  if (type !== wanted) content.failed = true
  return content
}
