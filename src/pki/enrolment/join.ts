/** The new member's side: a key made here, a request under the invitation's secret, a certificate that must be the named root's. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { equalConstantTime } from '../../base/secret.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { makeAnchors, type Purpose, verifyChain } from '../../protocol/x509/path.ts'
import { parseCertificate } from '../../protocol/x509/certificate.ts'
import { bareCsr } from '../csr.ts'
import { newKey } from '../keys.ts'
import { sameBytes } from '../../base/bytes.ts'
import { type Ask, refusal } from './ask.ts'
import { type Invitation, invitationKeys, isFingerprintOf, keyCode, tagOf } from './link.ts'
import { decodeReply, encodeEnrol, type EnrolReply, issuedMessage, PURPOSE } from './messages.ts'

export type Issued = Extract<EnrolReply, { status: 'issued' }>

export class Joining {
  readonly #crypto: CryptoPort
  readonly #invitation: Invitation
  readonly pkcs8: Uint8Array
  readonly #spki: Der
  readonly #csr: Uint8Array
  readonly #body: string
  readonly #reply: Uint8Array

  /** `pkcs8`: a key from an earlier try, so that the authority knows it again. */
  constructor(crypto: CryptoPort, invitation: Invitation, pkcs8: Uint8Array = newKey(crypto)) {
    this.#crypto = crypto
    this.#invitation = invitation
    this.pkcs8 = pkcs8
    using signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
    this.#spki = signer.spki
    this.#csr = bareCsr(signer, 'new member')
    const keys = invitationKeys(crypto, invitation.secret)
    this.#reply = keys.reply
    this.#body = encodeEnrol({ id: keys.id, csr: this.#csr, tag: tagOf(crypto, keys.request, PURPOSE.request, this.#csr) })
  }
  /** To be read to whoever invited. */
  get code(): string {
    return keyCode(this.#crypto, this.#spki)
  }

  /** One question; undefined while whoever invited has not decided. */
  async ask(ask: Ask, now: UnixTime): Promise<Result<Issued | undefined>> {
    const { host, port, fingerprint } = this.#invitation
    const answered = await ask({ host, port, path: '/enrol', body: this.#body, fingerprint })
    if (!answered.ok) return answered
    const reply = decodeReply(answered.value)
    if (reply === undefined) return err('IDENTITY_ENROLMENT_FORGED', 'its answer makes no sense')
    if (reply.status === 'waiting') return ok(undefined)
    return reply.status === 'refused' ? refusal(reply) : this.#check(reply, now)
  }

  /** Everything that a stranger could have altered on the way, or made up. */
  #check(reply: Issued, now: UnixTime): Result<Issued> {
    if (!isFingerprintOf(this.#crypto, this.#invitation.fingerprint, reply.root)) return err('IDENTITY_ENROLMENT_FORGED', 'another root')
    if (!equalConstantTime(reply.tag, tagOf(this.#crypto, this.#reply, PURPOSE.reply, issuedMessage(reply)))) return err('IDENTITY_ENROLMENT_FORGED', 'it does not know the invitation')
    const good = checkIssued(this.#crypto, reply, this.#spki, now)
    return good.ok ? ok(reply) : good
  }
}

interface IssuedCheck {
  readonly purpose?: Purpose
  readonly evidence?: Parameters<typeof verifyChain>[3]
}

/** The certificate is for our key and leads to the root, by nobody who is known to be revoked. */
export function checkIssued(crypto: CryptoPort, { chain, root }: Pick<Issued, 'chain' | 'root'>, spki: Uint8Array, now: UnixTime, { purpose = 'member', evidence = [] }: IssuedCheck = {}): Result<void> {
  const own = parseCertificate(chain[0]!)
  if (!own.ok) return own
  if (!sameBytes(own.value.spki, spki)) return err('IDENTITY_ENROLMENT_FORGED', 'the certificate is for another key')
  const anchors = makeAnchors([root])
  if (!anchors.ok) return anchors
  const verified = verifyChain(crypto, chain, anchors.value, evidence, now, purpose, 'revoked')
  return verified.ok ? ok(undefined) : err('IDENTITY_ENROLMENT_FORGED', 'the certificate does not verify', verified.fault)
}
