/** Intel's two statements about a kind of processor and its quoting enclave, with the revocation lists: genuine, and of this time. */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { Evidence } from '../x509/evidence.ts'
import { formatTime } from '../x509/time.ts'
import { COLLATERAL_OCTETS_LIMIT, type Collateral, type QeIdentity, readQeIdentity, readTcbInfo, type TcbInfo } from './collateral.ts'
import { checkSigningCertificate, derSignature, INTEL_ROOT, verifyIntelChain } from './root.ts'

export interface Statements {
  readonly lists: Evidence
  readonly tcbInfo: TcbInfo
  readonly qeIdentity: QeIdentity
  /** The earliest of all ends. */
  readonly validUntil: UnixTime
}

/** Intel's two statements, when Intel signed them and they are of this time. */
export function readStatements(crypto: CryptoPort, c: Collateral, root: Der, now: UnixTime): Result<Statements> {
  const listed = listsOf(c)
  if (!listed.ok) return listed
  const lists = listed.value
  for (const [chain, json, signature] of [[c.tcbInfoChain, c.tcbInfo, c.tcbInfoSignature], [c.qeIdentityChain, c.qeIdentity, c.qeIdentitySignature]] as const) {
    const path = verifyIntelChain(crypto, chain, root, lists, now)
    if (!path.ok) return path
    const signer = path.value.path[0]!
    const named = checkSigningCertificate(signer)
    if (!named.ok) return named
    if (signature.length !== 64 || !crypto.verify('ecdsa-p256-sha256', signer.spki, utf8(json), derSignature(signature))) return err('ATTESTATION_COLLATERAL_SIGNATURE')
  }
  const tcbInfo = readTcbInfo(c.tcbInfo)
  if (!tcbInfo.ok) return tcbInfo
  const qeIdentity = readQeIdentity(c.qeIdentity)
  if (!qeIdentity.ok) return qeIdentity
  for (const { issueDate, nextUpdate } of [tcbInfo.value, qeIdentity.value]) {
    if (now < issueDate || now > nextUpdate) return err('ATTESTATION_COLLATERAL_STALE', `valid from ${formatTime(issueDate)} to ${formatTime(nextUpdate)}`)
  }
  const ends = [tcbInfo.value.nextUpdate, qeIdentity.value.nextUpdate, ...lists.lists.map((l) => l.nextUpdate)]
  return ok({ lists, tcbInfo: tcbInfo.value, qeIdentity: qeIdentity.value, validUntil: unixTime(Math.min(...ends)) })
}

/** What collateral is about, when all of it is genuine and of this time. */
export interface CollateralSubject {
  readonly tee: 'sgx' | 'tdx'
  /** Kind of processor: upper-case hex. */
  readonly family: string
  readonly issued: UnixTime
  readonly validUntil: UnixTime
}

export function verifyCollateral(crypto: CryptoPort, c: Collateral, now: UnixTime, root: Der = INTEL_ROOT): Result<CollateralSubject> {
  const said = readStatements(crypto, c, root, now)
  if (!said.ok) return said
  const { tcbInfo, validUntil } = said.value
  // The older of the two statements: newer collateral is newer in both, or it would make something be forgotten.
  return ok({ tee: tcbInfo.id === 'SGX' ? 'sgx' : 'tdx', family: tcbInfo.fmspc + tcbInfo.pceId, issued: unixTime(Math.min(tcbInfo.issueDate, said.value.qeIdentity.issueDate)), validUntil })
}

function listsOf(c: Collateral): Result<Evidence> {
  const size = c.rootCrl.length + c.pckCrl.length + c.tcbInfoChain.length + c.tcbInfo.length + c.qeIdentityChain.length + c.qeIdentity.length
  if (size > COLLATERAL_OCTETS_LIMIT) return err('ATTESTATION_COLLATERAL', `${size} octets`)
  const lists = Evidence.of([{ kind: 'crl', der: c.rootCrl }, { kind: 'crl', der: c.pckCrl }])
  return lists.ok ? lists : err('ATTESTATION_COLLATERAL', `${lists.fault.code}: ${lists.fault.message}`)
}
