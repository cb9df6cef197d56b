/**
 * The identity in an MLS `basic` credential (docs/protocol: credentials).
 *
 *   version = 1 (1) | certificates (1), each len (2) DER, end entity first | len (2) Delegation | len (2) signature |
 *   revocation kind (1) | len (2) OCSP response, or address of a revocation list
 *
 * Version 2, where the key is in an enclave: the same, then len (2) quote, made for SHA-512 of the Delegation.
 * The revocation part and the quote are outside our signature (each carries its own); MLS signs them with the leaf.
 */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { ByteReader, ByteWriter, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { Identity } from '../../model/identity.ts'
import type { RevocationProof, RevocationRule } from '../../model/trust.ts'
import { CERTIFICATE_OCTETS_LIMIT, type Certificate } from './certificate.ts'
import { type Delegation, DELEGATION_OCTETS_LIMIT, type DelegationUse, type SignedDelegation, verifyDelegation } from './delegation.ts'
import { latin1 } from './name.ts'
import { Evidence, NO_EVIDENCE } from './evidence.ts'
import { parseOcspResponse } from './ocsp.ts'
import { type Anchors, CHAIN_LIMIT, usesAll, verifyChain } from './path.ts'

export const CREDENTIAL_OCTETS_LIMIT = 24 * 1024
const VERSION = 1
const WITH_QUOTE = 2
const QUOTE_LIMIT = 16 * 1024
const SIGNATURE_OCTETS_LIMIT = 512
const ADDRESS_LIMIT = 512

export type RevocationHint =
  | { readonly kind: 'none' }
  | { readonly kind: 'ocsp'; readonly response: Uint8Array }
  /** Where the issuer publishes its list: http(s) in ASCII. */
  | { readonly kind: 'crl'; readonly address: string }

export interface Credential {
  /** End entity first; the root is better left out. */
  readonly chain: readonly Der[]
  readonly delegation: SignedDelegation
  readonly revocation: RevocationHint
  /** What it shows is another question (protocol/sgx). */
  readonly quote?: Uint8Array
}

const NO_HINT: RevocationHint = { kind: 'none' }
const HINT = { none: 0, ocsp: 1, crl: 2 } as const
const ADDRESS = /^https?:\/\/[!-~]+$/

export function encodeCredential(chain: readonly Der[], delegation: SignedDelegation, revocation: RevocationHint = NO_HINT, quote?: Uint8Array): Result<Uint8Array> {
  if (chain.length === 0) return err('IDENTITY_CHAIN_EMPTY')
  if (chain.length > CHAIN_LIMIT) return err('IDENTITY_CHAIN_TOO_LONG', `${chain.length}`)
  const tooLarge = chain.find((der) => der.length > CERTIFICATE_OCTETS_LIMIT)
  if (tooLarge !== undefined) return err('IDENTITY_CERTIFICATE_TOO_LARGE', `${tooLarge.length} octets`)
  const w = new ByteWriter(2048).u8(quote === undefined ? VERSION : WITH_QUOTE).u8(chain.length)
  for (const der of chain) w.vec16(der)
  const hint = revocation.kind === 'ocsp' ? revocation.response : revocation.kind === 'crl' ? utf8(revocation.address) : new Uint8Array(0)
  if (hint.length > CREDENTIAL_OCTETS_LIMIT || (revocation.kind === 'crl' && !isAddress(hint))) return err('IDENTITY_CREDENTIAL_MALFORMED', 'revocation')
  w.vec16(delegation.body).vec16(delegation.signature).u8(HINT[revocation.kind]).vec16(hint)
  if (quote !== undefined) {
    if (quote.length === 0 || quote.length > QUOTE_LIMIT) return err('IDENTITY_CREDENTIAL_MALFORMED', `quote of ${quote.length} octets`)
    w.vec16(quote)
  }
  return w.length > CREDENTIAL_OCTETS_LIMIT ? err('IDENTITY_CREDENTIAL_MALFORMED', `${w.length} octets, at most ${CREDENTIAL_OCTETS_LIMIT}`) : ok(w.finish())
}

/** Structure alone; what it says is still anybody's word. */
export function decodeCredential(bytes: Uint8Array): Result<Credential> {
  const refused = (why: string) => err('IDENTITY_CREDENTIAL_MALFORMED', why)
  if (bytes.length > CREDENTIAL_OCTETS_LIMIT) return refused(`${bytes.length} octets, at most ${CREDENTIAL_OCTETS_LIMIT}`)
  const r = new ByteReader(bytes)
  const version = r.u8()
  if (version !== VERSION && version !== WITH_QUOTE) return refused(`version ${version}`)
  const count = r.u8()
  if (count < 1 || count > CHAIN_LIMIT) return refused(`${count} certificates`)
  const chain = Array.from({ length: count }, () => r.vec16() as Der)
  const delegation = { body: r.vec16(), signature: r.vec16() }
  const revocation = readHint(r.u8(), r.vec16())
  const quote = version === WITH_QUOTE ? r.vec16() : undefined
  if (!r.done || revocation === undefined || quote?.length === 0) return refused('cut short, or octets left over')
  if (delegation.body.length > DELEGATION_OCTETS_LIMIT || delegation.signature.length > SIGNATURE_OCTETS_LIMIT) return refused('delegation too long')
  if (quote !== undefined && quote.length > QUOTE_LIMIT) return refused('quote too long')
  return ok({ chain, delegation, revocation, ...(quote === undefined ? {} : { quote }) })
}

function readHint(kind: number, content: Uint8Array): RevocationHint | undefined {
  if (kind === HINT.none && content.length === 0) return NO_HINT
  if (kind === HINT.ocsp && content.length > 0) return { kind: 'ocsp', response: content }
  return kind === HINT.crl && isAddress(content) ? { kind: 'crl', address: latin1(content) } : undefined
}

const isAddress = (octets: Uint8Array): boolean => octets.length <= ADDRESS_LIMIT && ADDRESS.test(latin1(octets))

export interface CredentialContext extends DelegationUse {
  readonly anchors: Anchors
  /** Revocation lists and OCSP responses that the verifier has. */
  readonly proofs?: readonly RevocationProof[] | Evidence
  /** When a fresh statement must be there: at hand or in the credential. */
  readonly rule?: RevocationRule
}

export interface VerifiedCredential {
  readonly identity: Identity
  readonly delegation: Delegation
  /** Last second in which every certificate of the path and the delegation are valid: check again after. */
  readonly notAfter: UnixTime
  /** The presented certificate, then its issuers, the anchor last. */
  readonly path: readonly Certificate[]
  /** Brought along and not looked at, with what it has to be made for: SHA-512 of the delegation. */
  readonly quote?: { readonly bytes: Uint8Array; readonly reportData: Uint8Array }
}

/** Who stands behind an MLS leaf with this signature key: chain, then delegation, for this purpose, realm, suite and time. */
export function verifyCredential(crypto: CryptoPort, bytes: Uint8Array, context: CredentialContext): Result<VerifiedCredential> {
  const decoded = decodeCredential(bytes)
  if (!decoded.ok) return decoded
  const { chain, delegation, revocation, quote } = decoded.value
  const evidence = withStapled(context.proofs, revocation)
  if (!evidence.ok) return evidence
  const verified = verifyChain(crypto, chain, context.anchors, evidence.value, context.now, 'member', context.rule)
  if (!verified.ok) return verified
  // Otherwise a stranger could alter what nobody looks at.
  if (!usesAll(verified.value, chain)) return err('IDENTITY_CREDENTIAL_SURPLUS')
  const { identity, path, validUntil } = verified.value
  const lent = verifyDelegation(crypto, path[0]!, delegation, context)
  if (!lent.ok) return lent
  return ok({ identity, path, delegation: lent.value, notAfter: unixTime(Math.min(lent.value.notAfter, validUntil)), ...(quote === undefined ? {} : { quote: { bytes: quote.slice(), reportData: crypto.hash('sha512', delegation.body) } }) })
}

/** What the member brought along about itself counts like what the verifier has: it is signed by the issuer, or refused. */
function withStapled(proofs: readonly RevocationProof[] | Evidence = NO_EVIDENCE, hint: RevocationHint): Result<Evidence> {
  const own = proofs instanceof Evidence ? ok(proofs) : Evidence.of(proofs)
  if (!own.ok || hint.kind !== 'ocsp') return own
  const response = parseOcspResponse(hint.response)
  return response.ok ? ok(own.value.with(response.value)) : response
}
