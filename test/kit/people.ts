/** People with certificates, for tests: an authority, and whoever it names. */
import type { Der, UnixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import type { Authority } from '../../src/pki/authority.ts'
import { createCa, issueCertificate } from '../../src/pki/authority.ts'
import type { Anchors } from '../../src/protocol/x509/path.ts'
import { makeAnchors } from '../../src/protocol/x509/path.ts'
import type { OwnIdentity } from '../../src/vault/inside/identity-keeper.ts'
import { IdentityKeeper } from '../../src/vault/inside/identity-keeper.ts'

export const REALM = 'test.example'

export class People {
  readonly crypto: CryptoPort
  readonly ca: Authority
  readonly anchors: Anchors
  readonly #now: UnixTime

  constructor(now: UnixTime, crypto: CryptoPort = createNodeCrypto(), name = 'Test CA', listAddress?: string) {
    this.crypto = crypto
    this.#now = now
    this.ca = createCa(crypto, { name, now, ...(listAddress === undefined ? {} : { listAddress }) })
    this.anchors = must(makeAnchors([this.ca.certificate]))
  }
  /** A member with a certificate of this authority. */
  person(name: string, options: { readonly kind?: 'member' | 'gateway'; readonly lifetimeDays?: number; readonly organisation?: string; readonly sips?: readonly string[] } = {}): OwnIdentity & { readonly pkcs8: Uint8Array } {
    const { kind = 'member', lifetimeDays = 30, organisation, sips = [] } = options
    const { chain, pkcs8 } = issueCertificate(this.ca, { name, emails: [`${name.toLowerCase()}@test.example`], kind: 'member', now: this.#now, lifetimeDays, sips, ...(organisation === undefined ? {} : { organisation }) })
    return { chain: chain as readonly Der[], signer: this.crypto.signer('ecdsa-p256-sha256', pkcs8), pkcs8, kind, keyProtection: 'in-process' }
  }
  /** A keeper of that person's name, trusting `trusted` (this authority unless given). */
  keeper(own: OwnIdentity, trusted: Anchors = this.anchors): IdentityKeeper {
    return new IdentityKeeper(this.crypto, own, { realm: REALM, anchors: trusted })
  }
}
