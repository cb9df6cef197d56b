/**
 * Whether a quote proves that a program runs in an enclave of an acceptable platform and speaks for one key, at a given
 * time (Intel SGX DCAP). It says nothing about physical attacks on SGX, which are published: one signal among others.
 */
import type { Der, UnixTime } from '../../base/brand.ts'
import { unixTime } from '../../base/brand.ts'
import { concat, sameBytes, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { Evidence } from '../x509/evidence.ts'
import { formatTime } from '../x509/time.ts'
import { COLLATERAL_OCTETS_LIMIT, type Collateral, readQeIdentity, readTcbInfo, type TcbStatus } from './collateral.ts'
import { platformOf } from './pck.ts'
import { parseQuote, type Quote } from './quote.ts'
import { checkSigningCertificate, derSignature, INTEL_ROOT, p256Spki, verifyIntelChain } from './root.ts'
import { platformLevel, quotingEnclaveLevel, together } from './tcb.ts'

export interface AttestationPolicy {
  /** Programs that are taken: MRENCLAVE (or MRTD) in hex; or all of one signer from a version on. */
  readonly measurements?: readonly string[]
  readonly signers?: readonly { readonly mrSigner: string; readonly productId: number; readonly minimumSvn: number }[]
  /** Never `Revoked`. */
  readonly statuses: readonly TcbStatus[]
  /** What the quote was made for, 64 octets. */
  readonly reportData: Uint8Array
  /** Another root than Intel's, SubjectPublicKeyInfo: for tests. */
  readonly root?: Der
}

export interface Attestation {
  readonly tee: 'sgx' | 'tdx'
  /** MRENCLAVE or MRTD, hex. */
  readonly measurement: string
  /** MRSIGNER, hex; empty for a TD. */
  readonly signer: string
  readonly productId: number
  readonly svn: number
  readonly status: TcbStatus
  readonly advisories: readonly string[]
  /** Intel's word is good until then. */
  readonly validUntil: UnixTime
}

export function verifyQuote(crypto: CryptoPort, bytes: Uint8Array, collateral: Collateral, policy: AttestationPolicy, now: UnixTime): Result<Attestation> {
  const quote = parseQuote(bytes)
  if (!quote.ok) return quote
  const lists = listsOf(collateral)
  if (!lists.ok) return lists
  const root = policy.root ?? INTEL_ROOT
  const platform = verifyIntelChain(crypto, quote.value.pckChain, root, lists.value, now)
  if (!platform.ok) return platform
  const signed = checkSignatures(crypto, quote.value, platform.value.path[0]!.spki)
  if (!signed.ok) return signed
  const said = statements(crypto, collateral, root, lists.value, now)
  if (!said.ok) return said
  const tcb = platformOf(platform.value.path[0]!)
  if (!tcb.ok) return tcb
  const own = platformLevel(said.value.tcbInfo, tcb.value, quote.value.body)
  if (!own.ok) return own
  const qe = quotingEnclaveLevel(said.value.qeIdentity, quote.value.qe.report, quote.value.body.tee)
  if (!qe.ok) return qe
  const verdict = together(own.value, qe.value)
  if (verdict.status === 'Revoked' || !policy.statuses.includes(verdict.status)) return err('ATTESTATION_TCB', [verdict.status, ...verdict.advisories].join(' '))
  const program = checkProgram(quote.value, policy)
  if (!program.ok) return program
  const ends = [platform.value.validUntil, said.value.tcbInfo.nextUpdate, said.value.qeIdentity.nextUpdate, ...lists.value.lists.map((l) => l.nextUpdate)]
  return ok({ ...program.value, ...verdict, validUntil: unixTime(Math.min(...ends)) })
}

function listsOf(c: Collateral): Result<Evidence> {
  const size = c.rootCrl.length + c.pckCrl.length + c.tcbInfoChain.length + c.tcbInfo.length + c.qeIdentityChain.length + c.qeIdentity.length
  if (size > COLLATERAL_OCTETS_LIMIT) return err('ATTESTATION_COLLATERAL', `${size} octets`)
  const lists = Evidence.of([{ kind: 'crl', der: c.rootCrl }, { kind: 'crl', der: c.pckCrl }])
  return lists.ok ? lists : err('ATTESTATION_COLLATERAL', `${lists.fault.code}: ${lists.fault.message}`)
}

/** Processor → quoting enclave → attestation key → body. */
function checkSignatures(crypto: CryptoPort, q: Quote, pck: Der): Result<void> {
  const verify = (key: Der, message: Uint8Array, signature: Uint8Array): boolean => crypto.verify('ecdsa-p256-sha256', key, message, derSignature(signature))
  if (!verify(pck, q.qe.bytes, q.qe.signature)) return err('ATTESTATION_SIGNATURE', 'of the processor on the quoting enclave')
  const bound = concat(crypto.hash('sha256', q.attestationKey, q.qe.authData), new Uint8Array(32))
  if (!sameBytes(bound, q.qe.report.reportData)) return err('ATTESTATION_SIGNATURE', 'the quoting enclave speaks for another attestation key')
  return verify(p256Spki(q.attestationKey), q.signed, q.signature) ? ok(undefined) : err('ATTESTATION_SIGNATURE', 'of the attestation key on the body')
}

/** Intel's two statements, when Intel signed them and they are of this time. */
function statements(crypto: CryptoPort, c: Collateral, root: Der, lists: Evidence, now: UnixTime) {
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
  return ok({ tcbInfo: tcbInfo.value, qeIdentity: qeIdentity.value })
}

const SGX_INIT = 0x01
const SGX_DEBUG = 0x02
const TD_DEBUG = 0x01

function checkProgram({ body }: Quote, policy: AttestationPolicy): Result<Pick<Attestation, 'tee' | 'measurement' | 'signer' | 'productId' | 'svn'>> {
  const flags = body.tee === 'sgx' ? body.attributes[0]! : body.tdAttributes[0]!
  if ((flags & (body.tee === 'sgx' ? SGX_DEBUG : TD_DEBUG)) !== 0) return err('ATTESTATION_DEBUG')
  if (body.tee === 'sgx' && (flags & SGX_INIT) === 0) return err('ATTESTATION_MALFORMED', 'the enclave was not initialised')
  const program = body.tee === 'sgx'
    ? { tee: body.tee, measurement: toHex(body.mrEnclave), signer: toHex(body.mrSigner), productId: body.isvProdId, svn: body.isvSvn }
    : { tee: body.tee, measurement: toHex(body.mrTd), signer: '', productId: 0, svn: 0 }
  const taken = policy.measurements?.some((m) => m.toLowerCase() === program.measurement) === true
    || policy.signers?.some((s) => s.mrSigner.toLowerCase() === program.signer && s.productId === program.productId && program.svn >= s.minimumSvn) === true
  if (!taken) return err('ATTESTATION_MEASUREMENT', program.measurement)
  return sameBytes(body.reportData, policy.reportData) ? ok(program) : err('ATTESTATION_REPORT_DATA')
}
