/** The authority's side of enrolment (docs/protocol/enrolment.md §2): who gets a certificate, without sockets. */
import type { Der } from '../../base/brand.ts'
import { fromHex, sameBytes } from '../../base/bytes.ts'
import { equalConstantTime } from '../../base/secret.ts'
import { verifyCertificationRequest } from '../../protocol/x509/certification-request.ts'
import { appendAudit } from '../audit.ts'
import { type CertificateRequest, certify } from '../authority.ts'
import { noteIssued } from '../ca-directory.ts'
import { caFiles } from '../ca-files.ts'
import { type InvitationRecord, Invitations } from './invitations.ts'
import { keyCode, tagOf } from './link.ts'
import { b64, decodeEnrol, type EnrolReply, type EnrolRequest, PURPOSE, unb64 } from './messages.ts'
import { type DeskOptions, issuedReply, no, refuse } from './reply.ts'

export class Desk {
  readonly #o: DeskOptions
  readonly #invitations: Invitations

  constructor(options: DeskOptions) {
    this.#o = options
    this.#invitations = new Invitations(options.dir)
  }

  enrol(body: string, from: string): EnrolReply {
    const request = decodeEnrol(body)
    if (request === undefined) return no('IDENTITY_REQUEST_MALFORMED')
    const known = this.#invitations.get(request.id)
    const { crypto } = this.#o.ca
    // An id that nobody has, and a wrong tag, look the same: who guesses learns nothing.
    if (known === undefined || !equalConstantTime(request.tag, tagOf(crypto, fromHex(known.invitation.request)!, PURPOSE.request, request.csr))) return no('IDENTITY_INVITATION_UNKNOWN')
    const asked = verifyCertificationRequest(crypto, request.csr)
    if (!asked.ok) return refuse(asked.fault)
    const { invitation } = known
    if (known.use === undefined && this.#o.now() > invitation.until) return no('IDENTITY_INVITATION_EXPIRED')
    if (known.use === undefined) {
      const code = keyCode(crypto, asked.value.spki)
      const used = this.#invitations.use(request.id, { csr: b64(request.csr), code, from, at: Math.floor(this.#o.now()) })
      if (!used.ok) return refuse(used.fault)
      this.#audit({ what: 'invitation used', name: invitation.name, code, from })
      this.#o.note?.(`${invitation.name} used the invitation, from ${from}; key code ${code}`)
    }
    return this.#answer(request, asked.value.spki)
  }

  /** After the request was the first, or after another was: the file tells. */
  #answer({ id }: EnrolRequest, spki: Der): EnrolReply {
    const state = this.#invitations.get(id)
    if (state?.use === undefined) return no('IDENTITY_INTERNAL')
    const { invitation, use, verdict } = state
    const first = verifyCertificationRequest(this.#o.ca.crypto, unb64(use.csr) ?? new Uint8Array(0))
    if (!first.ok || !sameBytes(first.value.spki, spki)) {
      this.#audit({ what: 'invitation used twice', name: invitation.name, code: keyCode(this.#o.ca.crypto, spki) })
      this.#o.note?.(`somebody else tried the invitation of ${invitation.name} that was used already`)
      return no('IDENTITY_INVITATION_USED')
    }
    if (verdict?.let === false) return no('IDENTITY_INVITATION_REFUSED')
    if (verdict === undefined && !invitation.confirmed) return { status: 'waiting' }
    return this.#issue(invitation, spki)
  }

  /** Once; asked again it gives the same certificate. */
  #issue(invitation: InvitationRecord, spki: Der): EnrolReply {
    const { ca, dir, now } = this.#o
    let chain = this.#invitations.issued(invitation.id)?.map((c) => unb64(c) as Der)
    if (chain === undefined) {
      const request: CertificateRequest = { name: invitation.name, ...(invitation.organisation === undefined ? {} : { organisation: invitation.organisation }), emails: invitation.emails, kind: 'member', now: now(), lifetimeDays: invitation.lifetimeDays }
      chain = [...certify(ca, spki, request)]
      // In this order: one that nobody ever had in the index does no harm, one that somebody has and is not there cannot be revoked.
      const noted = noteIssued(ca, dir, chain, request)
      if (!noted.ok) return refuse(noted.fault)
      const kept = this.#invitations.keepIssued(invitation.id, chain.map(b64))
      if (!kept.ok) return refuse(kept.fault)
    }
    return issuedReply(ca, this.#o, invitation.name, chain, fromHex(invitation.reply)!)
  }

  #audit(event: Parameters<typeof appendAudit>[2]): void {
    appendAudit(this.#o.ca.crypto, caFiles(this.#o.dir).audit, event, this.#o.now())
  }
}
