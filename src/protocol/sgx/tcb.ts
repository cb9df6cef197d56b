/** Which of the levels that Intel lists a platform has reached (PCS API v4, "TCB info", "Enclave identity"). */
import { fromHex, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { TcbStatus } from '../../model/enclaves.ts'
import type { IsvLevel, QeIdentity, TcbInfo } from './collateral.ts'
import type { PlatformTcb } from './pck.ts'
import type { SgxReport, TdReport } from './quote.ts'

export interface TcbVerdict {
  readonly status: TcbStatus
  /** Intel's security advisories that apply, sorted. */
  readonly advisories: readonly string[]
}

/** The platform's own level: the first whose versions are all reached. */
export function platformLevel(info: TcbInfo, platform: PlatformTcb, body: SgxReport | TdReport): Result<TcbVerdict> {
  if (info.id !== (body.tee === 'sgx' ? 'SGX' : 'TDX')) return err('ATTESTATION_COLLATERAL', `about ${info.id}`)
  if (info.fmspc !== platform.fmspc || info.pceId !== platform.pceId) return err('ATTESTATION_COLLATERAL', 'about another kind of processor')
  const level = info.levels.find(({ sgx, tdx, pceSvn }) => {
    if (pceSvn > platform.pceSvn || sgx.some((svn, i) => platform.components[i]! < svn)) return false
    if (body.tee === 'sgx') return true
    // With a module of version 1 and up, its own levels judge the first two components.
    const from = body.tcbSvn[1]! > 0 ? 2 : 0
    return tdx?.every((svn, i) => i < from || body.tcbSvn[i]! >= svn) === true
  })
  if (level === undefined) return err('ATTESTATION_TCB', 'below every level that Intel lists')
  const own: TcbVerdict = { status: level.status, advisories: level.advisories }
  if (body.tee === 'sgx') return ok(own)
  const module = tdxModuleLevel(info, body)
  return module.ok ? ok(together(own, module.value)) : module
}

/** The TDX module's signer, attributes and level (TDX DCAP Quoting Library API, "TDX module"). */
function tdxModuleLevel(info: TcbInfo, body: TdReport): Result<TcbVerdict> {
  const [isvSvn, version] = [body.tcbSvn[0]!, body.tcbSvn[1]!]
  const wanted = `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`
  const module = info.tdxModules.find((m) => m.id.toUpperCase() === wanted)
  const identity = version === 0 ? info.tdxModule : module
  if (identity === undefined) return err('ATTESTATION_COLLATERAL', `nothing about module ${wanted}`)
  if (upper(body.mrSignerSeam) !== identity.mrSigner || !masked(body.seamAttributes, identity.attributes, identity.attributesMask)) return err('ATTESTATION_QUOTING_ENCLAVE', 'the TDX module is not Intel\'s')
  return version === 0 || module === undefined ? ok({ status: 'UpToDate', advisories: [] }) : isvLevel(module.levels, isvSvn)
}

/** The quoting enclave against Intel's statement about it. */
export function quotingEnclaveLevel(identity: QeIdentity, qe: SgxReport, tee: 'sgx' | 'tdx'): Result<TcbVerdict> {
  if (identity.id !== (tee === 'sgx' ? 'QE' : 'TD_QE')) return err('ATTESTATION_COLLATERAL', `about ${identity.id}`)
  // miscselect is printed as a number, the report has it little-endian.
  if (!masked(qe.miscSelect.toReversed(), identity.miscSelect, identity.miscSelectMask)) return err('ATTESTATION_QUOTING_ENCLAVE', 'miscselect')
  if (!masked(qe.attributes, identity.attributes, identity.attributesMask)) return err('ATTESTATION_QUOTING_ENCLAVE', 'attributes')
  if (upper(qe.mrSigner) !== identity.mrSigner) return err('ATTESTATION_QUOTING_ENCLAVE', 'signer')
  if (qe.isvProdId !== identity.productId) return err('ATTESTATION_QUOTING_ENCLAVE', 'product')
  return isvLevel(identity.levels, qe.isvSvn)
}

function isvLevel(levels: readonly IsvLevel[], isvSvn: number): Result<TcbVerdict> {
  const level = levels.find((l) => isvSvn >= l.isvSvn)
  return level === undefined ? err('ATTESTATION_TCB', 'below every level that Intel lists') : ok({ status: level.status, advisories: level.advisories })
}

/** An outdated quoting enclave or module makes the platform outdated (Intel's quote verification library, "converge"). */
export function together(platform: TcbVerdict, part: TcbVerdict): TcbVerdict {
  const advisories = [...new Set([...platform.advisories, ...part.advisories])].sort()
  return { status: worst(platform.status, part.status), advisories }
}

function worst(platform: TcbStatus, part: TcbStatus): TcbStatus {
  if (platform === 'Revoked' || part === 'Revoked') return 'Revoked'
  if (part === 'UpToDate') return platform
  if (part !== 'OutOfDate') return platform === 'UpToDate' ? part : platform
  if (platform === 'UpToDate' || platform === 'SWHardeningNeeded') return 'OutOfDate'
  return platform === 'ConfigurationNeeded' || platform === 'ConfigurationAndSWHardeningNeeded' ? 'OutOfDateConfigurationNeeded' : platform
}

const upper = (b: Uint8Array): string => toHex(b).toUpperCase()

function masked(value: Uint8Array, expected: string, mask: string): boolean {
  const [e, m] = [fromHex(expected)!, fromHex(mask)!]
  return value.length === e.length && value.every((octet, i) => (octet & m[i]!) === (e[i]! & m[i]!))
}
