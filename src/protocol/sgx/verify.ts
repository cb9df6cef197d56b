/**
 * Whether a quote proves that a program runs in an enclave of an acceptable platform and speaks for one key, at a given
 * time (Intel SGX DCAP). It says nothing about physical attacks on SGX, which are published: one signal among others.
 */
import type { Der, UnixTime } from '../../base/brand.ts'
import { unixTime } from '../../base/brand.ts'
import { concat, sameBytes, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { EnclavePolicy, TcbStatus } from '../../model/enclaves.ts'
import type { Collateral } from './collateral.ts'
import { platformOf } from './pck.ts'
import { parseQuote, type Quote } from './quote.ts'
import { derSignature, INTEL_ROOT, p256Spki, verifyIntelChain } from './root.ts'
import { readStatements } from './statements.ts'
import { platformLevel, quotingEnclaveLevel, together } from './tcb.ts'

export interface AttestationPolicy extends EnclavePolicy {
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
  const root = policy.root ?? INTEL_ROOT
  const said = readStatements(crypto, collateral, root, now)
  if (!said.ok) return said
  const platform = verifyIntelChain(crypto, quote.value.pckChain, root, said.value.lists, now)
  if (!platform.ok) return platform
  const signed = checkSignatures(crypto, quote.value, platform.value.path[0]!.spki)
  if (!signed.ok) return signed
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
  return ok({ ...program.value, ...verdict, validUntil: unixTime(Math.min(platform.value.validUntil, said.value.validUntil)) })
}

/** Processor → quoting enclave → attestation key → body. */
function checkSignatures(crypto: CryptoPort, q: Quote, pck: Der): Result<void> {
  const verify = (key: Der, message: Uint8Array, signature: Uint8Array): boolean => crypto.verify('ecdsa-p256-sha256', key, message, derSignature(signature))
  if (!verify(pck, q.qe.bytes, q.qe.signature)) return err('ATTESTATION_SIGNATURE', 'of the processor on the quoting enclave')
  const bound = concat(crypto.hash('sha256', q.attestationKey, q.qe.authData), new Uint8Array(32))
  if (!sameBytes(bound, q.qe.report.reportData)) return err('ATTESTATION_SIGNATURE', 'the quoting enclave speaks for another attestation key')
  return verify(p256Spki(q.attestationKey), q.signed, q.signature) ? ok(undefined) : err('ATTESTATION_SIGNATURE', 'of the attestation key on the body')
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
