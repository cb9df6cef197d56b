/** Our own name and key. The key itself stays a handle inside the crypto port. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import type { Identity, KeyProtection } from '../../model/identity.ts'
import type { RevocationProof } from '../../model/trust.ts'
import type { LeafKey } from '../../protocol/mls/key-package.ts'
import { SUITES } from '../../protocol/mls/suite.ts'
import { encodeCredential } from '../../protocol/x509/credential.ts'
import { issueDelegation } from '../../protocol/x509/delegation.ts'
import { JournalKeeper, type JournalWorld } from './journal/keeper.ts'
import { KnownMembers, type Trust } from './known-members.ts'
import { stapleFor } from './staple.ts'

export interface OwnIdentity {
  /** End entity first, without the root. */
  readonly chain: readonly Der[]
  readonly signer: Signer
  readonly kind: 'member' | 'gateway'
  /** Where who we are is not verified: only our journal is read. */
  readonly unverified?: Identity
  /** How this vault keeps keys, as it tells others. */
  readonly keyProtection: KeyProtection
  /** SHA-256 of the program that does, hex. */
  readonly measurement?: string
  /** Inside an enclave. */
  readonly quoter?: Quoter
}

/** Lets the enclave that this program runs in sign 64 octets; a fault where it cannot. */
export type Quoter = (reportData: Uint8Array) => Result<Uint8Array>

/** What is not for the host to say. */
export interface EnclaveWorld {
  /** Of the enclave that this runs in. */
  readonly quoter?: Quoter
  /** Another maker of processors than Intel: tests. */
  readonly processorRoot?: Der
}

export class IdentityKeeper {
  readonly #crypto: CryptoPort
  readonly #own: OwnIdentity
  readonly trust: Trust
  /** Others whom we verified, and the statements about revocation at hand. */
  readonly known: KnownMembers
  #journal: JournalKeeper | undefined

  constructor(crypto: CryptoPort, own: OwnIdentity, trust: Trust, proofs: readonly RevocationProof[] = []) {
    this.#crypto = crypto
    this.#own = own
    this.trust = trust
    this.known = new KnownMembers(crypto, trust, proofs)
  }
  get chain(): readonly Der[] {
    return this.#own.chain
  }
  get signer(): Signer {
    return this.#own.signer
  }
  get verify(): KnownMembers['verify'] {
    return this.known.verify
  }

  /** Its key comes from ours. */
  keepJournal(clock: JournalWorld['clock'], pkcs8: Uint8Array): void {
    this.#journal = new JournalKeeper({ crypto: this.#crypto, clock, signer: this.signer, realm: this.trust.realm }, pkcs8)
  }
  get journal(): JournalKeeper {
    if (this.#journal === undefined) throw new Error('no journal was made')
    return this.#journal
  }
  end(): void {
    this.#journal?.[Symbol.dispose]()
    this.signer[Symbol.dispose]()
  }

  /** Who we are, verified as others will verify it. */
  show(now: UnixTime): Result<Identity> {
    return this.#own.unverified !== undefined ? ok(this.#own.unverified) : this.known.verifyOwn(this.#own.chain, now)
  }

  /** A fresh MLS signature key with our name lent to it for at most a day. Never used for two memberships. */
  leafKey(suite: keyof typeof SUITES, now: UnixTime): Result<LeafKey> {
    const endEntity = this.#own.chain[0]
    if (endEntity === undefined) return err('IDENTITY_CHAIN_EMPTY')
    const signature = this.#crypto.signatureKeyPair('ed25519', this.#crypto.bytes(32))
    const delegation = issueDelegation(this.#own.signer, endEntity, {
      purpose: 'conference', realm: this.trust.realm, suite: SUITES[suite].id, signaturePublicKey: signature.publicKey,
      kind: this.#own.kind, keyProtection: this.#own.keyProtection, now,
      ...(this.#own.measurement === undefined ? {} : { measurement: this.#own.measurement }),
    })
    if (!delegation.ok) return delegation
    const quote = this.#own.quoter?.(this.#crypto.hash('sha512', delegation.value.body))
    if (quote?.ok === false) return quote
    const credential = encodeCredential(this.#own.chain, delegation.value, stapleFor(this.#crypto, this.#own.chain, this.trust.anchors, this.known.evidence, now), quote?.value)
    return credential.ok ? ok({ credential: credential.value, signature }) : credential
  }
}
