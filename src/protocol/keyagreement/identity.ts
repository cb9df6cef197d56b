/** Who the two are: certificate, signature and MAC, sealed for each other's eyes (docs/protocol/sealed-calls.md §1). */
import type { Der } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { equalConstantTime } from '../../base/secret.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import type { Identity } from '../../model/identity.ts'
import { type Certificate, parseCertificate } from '../x509/certificate.ts'
import { delegationAlgorithm } from '../x509/delegation.ts'
import { type Schedule, signedBy } from './keys.ts'
import { decodeIdentity, encodeIdentity, encodeMessage, type Message, type Role } from './messages.ts'

export interface IdentityOptions {
  readonly crypto: CryptoPort
  /** Absent: only the short string says who we are. */
  readonly identity?: { readonly chain: readonly Der[]; readonly signer: Signer }
  /** Whether a chain is somebody's whom we trust, at this time. Undefined: of an authority that we do not know, so that it names nobody. */
  readonly judge: (chain: readonly Der[]) => Result<Identity | undefined>
}

export interface Peer {
  /** Absent: no certificate that we can judge; the short string alone tells who it is. */
  readonly identity?: Identity
  /** Hex of the SHA-256 of the certificate's public key, proved by its signature: the same person's next time. */
  readonly keyId?: string
  /** Whom a verified certificate may be called by: the users of its SIP and telephone URIs (RFC 5922 §7.1). */
  readonly numbers?: readonly string[]
}

/** The encoded message. */
export function sealIdentity({ crypto, identity }: IdentityOptions, schedule: Schedule, transcript: Uint8Array, role: Role): Uint8Array {
  const chain = identity?.chain ?? []
  const signature = identity?.signer.sign(signedBy(role, transcript, chain)) ?? new Uint8Array(0)
  const mac = schedule.identityMac(role, transcript, chain)
  const { key, nonce } = schedule.identityKey(role)
  const sealed = crypto.aeadSeal('aes-256-gcm', key, nonce, transcript, encodeIdentity({ chain, signature, mac }))
  key.fill(0)
  return encodeMessage({ type: 'identity', role, sealed })
}

export function openIdentity({ crypto, judge }: IdentityOptions, schedule: Schedule, transcript: Uint8Array, m: Extract<Message, { type: 'identity' }>): Result<Peer> {
  const { key, nonce } = schedule.identityKey(m.role)
  const plain = crypto.aeadOpen('aes-256-gcm', key, nonce, transcript, m.sealed)
  key.fill(0)
  const body = plain && decodeIdentity(plain)
  if (body === undefined || !equalConstantTime(body.mac, schedule.identityMac(m.role, transcript, body.chain))) return err('KEYAGREEMENT_CONFIRMATION', 'identity')
  if (body.chain.length === 0) return ok({})
  const leaf = parseCertificate(body.chain[0]!)
  if (!leaf.ok) return err('KEYAGREEMENT_IDENTITY', leaf.fault.message, leaf.fault)
  const algorithm = delegationAlgorithm(leaf.value.key)
  if (algorithm === undefined || !crypto.verify(algorithm, leaf.value.spki, signedBy(m.role, transcript, body.chain), body.signature)) return err('KEYAGREEMENT_SIGNATURE')
  const judged = judge(body.chain)
  if (judged.ok) return ok({ keyId: toHex(crypto.hash('sha256', leaf.value.spki)), ...(judged.value === undefined ? {} : { identity: judged.value, numbers: numbersIn(leaf.value) }) })
  return err('KEYAGREEMENT_IDENTITY', judged.fault.message, judged.fault)
}

const numbersIn = (leaf: Certificate): string[] => (leaf.extensions.alternativeNames ?? []).flatMap((n) => (n.kind === 'uri' ? (/^(?:sips?|tel):([^@;?]{1,64})/i.exec(n.text)?.[1] ?? []) : []))
