/** What Intel publishes about platforms, as its provisioning service and every cache of it serve it (PCS API v4). */
import type { Der, UnixTime } from '../../base/brand.ts'
import { fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { timeOf } from '../x509/time.ts'
import { TCB_STATUSES, type TcbStatus } from '../../model/enclaves.ts'
import { JsonReader } from './json-reader.ts'

export const COLLATERAL_OCTETS_LIMIT = 131_072

/** Whoever hands it over need not be trusted: everything in it is signed. */
export interface Collateral {
  readonly rootCrl: Der
  readonly pckCrl: Der
  /** PEM: Intel's signing certificate for both statements, and its root. */
  readonly tcbInfoChain: string
  /** JSON, octet for octet as it was signed; r ‖ s. */
  readonly tcbInfo: string
  readonly tcbInfoSignature: Uint8Array
  readonly qeIdentityChain: string
  readonly qeIdentity: string
  readonly qeIdentitySignature: Uint8Array
}

export interface IsvLevel {
  readonly isvSvn: number
  readonly status: TcbStatus
  readonly advisories: readonly string[]
}
interface Dated {
  readonly issueDate: UnixTime
  readonly nextUpdate: UnixTime
}
/** A signer and attributes under a mask; hex, upper case. */
interface Signed {
  readonly mrSigner: string
  readonly attributes: string
  readonly attributesMask: string
}
export interface TcbInfo extends Dated {
  readonly id: 'SGX' | 'TDX'
  readonly fmspc: string
  readonly pceId: string
  readonly tdxModule?: Signed
  readonly tdxModules: readonly (Signed & { readonly id: string; readonly levels: readonly IsvLevel[] })[]
  readonly levels: readonly {
    readonly sgx: readonly number[]
    readonly tdx?: readonly number[]
    readonly pceSvn: number
    readonly status: TcbStatus
    readonly advisories: readonly string[]
  }[]
}
export interface QeIdentity extends Dated, Signed {
  readonly id: 'QE' | 'TD_QE'
  readonly miscSelect: string
  readonly miscSelectMask: string
  readonly productId: number
  readonly levels: readonly IsvLevel[]
}

const MODULES_LIMIT = 16
const LEVELS_LIMIT = 64
const ADVISORIES_LIMIT = 128
const SVN_LIMIT = 65_535

const hex = (r: JsonReader, octets: number): string => {
  const text = r.text(/^[0-9A-Fa-f]*$/).toUpperCase()
  return text.length === 2 * octets ? text : r.fail('00'.repeat(octets))
}
const version = (r: JsonReader, wanted: number): void => {
  if (r.integer(SVN_LIMIT) !== wanted) r.fail(0)
}
const date = (r: JsonReader): UnixTime => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = r.text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/).split(/[-T:Z]/).map(Number)
  return timeOf({ year, month, day, hour, minute, second }) ?? r.fail(0 as UnixTime)
}
const dated = (r: JsonReader): Dated => {
  r.field('tcbEvaluationDataNumber').integer(Number.MAX_SAFE_INTEGER)
  return { issueDate: date(r.field('issueDate')), nextUpdate: date(r.field('nextUpdate')) }
}
const standing = (r: JsonReader): Pick<IsvLevel, 'status' | 'advisories'> => {
  date(r.field('tcbDate'))
  const listed = r.field('advisoryIDs')
  return { status: r.field('tcbStatus').oneOf(TCB_STATUSES), advisories: listed.absent ? [] : listed.list(ADVISORIES_LIMIT, (a) => a.text(/^[A-Z0-9-]{1,32}$/)) }
}
const isvLevels = (r: JsonReader): IsvLevel[] => r.list(LEVELS_LIMIT, (l) => ({ isvSvn: l.field('tcb').field('isvsvn').integer(SVN_LIMIT), ...standing(l) }))
const signed = (r: JsonReader, attributes: number, signer: number): Signed => ({
  mrSigner: hex(r.field('mrsigner'), signer), attributes: hex(r.field('attributes'), attributes), attributesMask: hex(r.field('attributesMask'), attributes),
})
const components = (r: JsonReader): number[] => {
  const list = r.list(16, (c) => c.field('svn').integer(SVN_LIMIT))
  return list.length === 16 ? list : r.fail(list)
}

export const readTcbInfo = (json: string): Result<TcbInfo> => read(json, 'platform', (r) => {
  version(r.field('version'), 3)
  const [module, modules] = [r.field('tdxModule'), r.field('tdxModuleIdentities')]
  return {
    ...dated(r), id: r.field('id').oneOf(['SGX', 'TDX']), fmspc: hex(r.field('fmspc'), 6), pceId: hex(r.field('pceId'), 2),
    ...(module.absent ? {} : { tdxModule: signed(module, 8, 48) }),
    tdxModules: modules.absent ? [] : modules.list(MODULES_LIMIT, (m) => ({ id: m.field('id').text(/^/, 32), ...signed(m, 8, 48), levels: isvLevels(m.field('tcbLevels')) })),
    levels: r.field('tcbLevels').list(LEVELS_LIMIT, (l) => {
      const tcb = l.field('tcb')
      const tdx = tcb.field('tdxtcbcomponents')
      return { sgx: components(tcb.field('sgxtcbcomponents')), ...(tdx.absent ? {} : { tdx: components(tdx) }), pceSvn: tcb.field('pcesvn').integer(SVN_LIMIT), ...standing(l) }
    }),
  }
})

export const readQeIdentity = (json: string): Result<QeIdentity> => read(json, 'quoting enclave', (r) => {
  version(r.field('version'), 2)
  return {
    ...dated(r), id: r.field('id').oneOf(['QE', 'TD_QE']), ...signed(r, 16, 32), miscSelect: hex(r.field('miscselect'), 4), miscSelectMask: hex(r.field('miscselectMask'), 4),
    productId: r.field('isvprodid').integer(SVN_LIMIT), levels: isvLevels(r.field('tcbLevels')),
  }
})

function read<T>(json: string, what: string, shape: (r: JsonReader) => T): Result<T> {
  const r = JsonReader.of(json)
  const value = shape(r)
  return r.failure === undefined ? ok(value) : err('ATTESTATION_COLLATERAL', `${what}: ${r.failure}`)
}

/**
 * All of it as one JSON text, as it is kept in files and handed on: lists and signatures in hexadecimal digits, chains in PEM, the two statements as
 * texts, for their octets were signed.
 */
export const encodeCollateral = (c: Collateral): Uint8Array => utf8(JSON.stringify({
  root_ca_crl: toHex(c.rootCrl), pck_crl: toHex(c.pckCrl), tcb_info_issuer_chain: c.tcbInfoChain, tcb_info: c.tcbInfo, tcb_info_signature: toHex(c.tcbInfoSignature),
  qe_identity_issuer_chain: c.qeIdentityChain, qe_identity: c.qeIdentity, qe_identity_signature: toHex(c.qeIdentitySignature),
}))

export function decodeCollateral(bytes: Uint8Array): Result<Collateral> {
  if (bytes.length > 2 * COLLATERAL_OCTETS_LIMIT) return err('ATTESTATION_COLLATERAL', `${bytes.length} octets`)
  const r = JsonReader.of(fromUtf8(bytes) ?? '')
  const limit = 2 * COLLATERAL_OCTETS_LIMIT
  const text = (name: string): string => r.field(name).text(/^/, limit)
  const octets = (name: string): Uint8Array => fromHex(r.field(name).text(/^(?:[0-9a-fA-F]{2})*$/, limit)) ?? new Uint8Array(0)
  const c: Collateral = {
    rootCrl: octets('root_ca_crl') as Der, pckCrl: octets('pck_crl') as Der, tcbInfoChain: text('tcb_info_issuer_chain'), tcbInfo: text('tcb_info'), tcbInfoSignature: octets('tcb_info_signature'),
    qeIdentityChain: text('qe_identity_issuer_chain'), qeIdentity: text('qe_identity'), qeIdentitySignature: octets('qe_identity_signature'),
  }
  return r.failure === undefined ? ok(c) : err('ATTESTATION_COLLATERAL', r.failure)
}
