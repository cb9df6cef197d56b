/** What a configuration says about certificates besides whom it trusts. */

/**
 * When a fresh statement about revocation must be at hand. `named`: for every certificate that names where its issuer publishes
 * one (a revocation list or an OCSP responder); `required`: for every certificate below an anchor; `given`: only what is at hand counts.
 */
export const REVOCATION_RULES = ['named', 'required', 'given'] as const
export type RevocationRule = (typeof REVOCATION_RULES)[number]

/** A signed statement of an authority about what it has revoked: list or OCSP response, DER. Whoever hands it over need not be trusted. */
export interface RevocationProof {
  readonly kind: 'crl' | 'ocsp'
  readonly der: Uint8Array
}

/** Fields of a certificate that may be shown as the name. */
export const SHOWN_FIELDS = ['commonName', 'displayName', 'givenNameSurname', 'email', 'upn', 'uid', 'organisation', 'host'] as const
export type ShownField = (typeof SHOWN_FIELDS)[number]
/** In order of preference. */
export type ShownName = readonly ShownField[]
