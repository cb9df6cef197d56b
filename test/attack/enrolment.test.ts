/** Invitations in the hands of somebody else: used twice, expired, forged, relayed, with a second authority behind the door. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { FaultCode } from '../../src/base/faults/index.ts'
import { must, ok, type Result } from '../../src/base/result.ts'
import { issueCertificate } from '../../src/pki/authority.ts'
import { bareCsr } from '../../src/pki/csr.ts'
import { listIssued } from '../../src/pki/ca-directory.ts'
import type { Ask } from '../../src/pki/enrolment/ask.ts'
import { Joining } from '../../src/pki/enrolment/join.ts'
import { invitationKeys, tagOf } from '../../src/pki/enrolment/link.ts'
import { decodeReply, encodeEnrol, encodeRenew, encodeReply, type EnrolReply, PURPOSE, renewalMessage } from '../../src/pki/enrolment/messages.ts'
import { renew } from '../../src/pki/enrolment/renewals.ts'
import { issuedReply } from '../../src/pki/enrolment/reply.ts'
import { AuthorityDesk } from '../kit/authority-desk.ts'
import { crypto, DAY_S, newSigner } from '../kit/certificates.ts'

const stage = new AuthorityDesk()
const second = new AuthorityDesk()
after(() => {
  stage.close()
  second.close()
})
const refused = (r: Result<unknown>, code: FaultCode) => {
  assert.ok(!r.ok, 'taken')
  assert.equal(r.fault.code, code, r.fault.message)
}
const codeOf = (reply: EnrolReply): string => (reply.status === 'refused' ? reply.code : reply.status)
const issuedTo = (name: string) => must(listIssued(stage.options.dir)).filter((e) => e.name === name).length

test('two enrolments with one invitation: the first key stands, the other is refused and the inviter is told', async () => {
  const invitation = stage.invite('Bob', { confirmed: true })
  const [bob, eve] = [new Joining(crypto, invitation), new Joining(crypto, invitation)]
  const [first, other] = await Promise.all([bob.ask(stage.ask, stage.now), eve.ask(stage.ask, stage.now)])
  assert.equal(must(first)?.name, 'Bob')
  refused(other, 'IDENTITY_INVITATION_USED')
  assert.equal(issuedTo('Bob'), 1)
  assert.match(stage.notes.join('\n'), /somebody else tried the invitation of Bob/)
  assert.notEqual(bob.code, eve.code)
})

test('a thief that is faster: nothing is issued before the inviter has compared the code, and a refusal is final', async () => {
  const invitation = stage.invite('Cleo')
  const [eve, cleo] = [new Joining(crypto, invitation), new Joining(crypto, invitation)]
  assert.equal(must(await eve.ask(stage.ask, stage.now)), undefined)
  refused(await cleo.ask(stage.ask, stage.now), 'IDENTITY_INVITATION_USED')
  assert.notEqual(stage.invitations.get(invitation.id)?.use?.code, cleo.code, 'what Cleo reads out is another code')
  must(stage.invitations.decide(invitation.id, { let: false, at: stage.now }))
  refused(await eve.ask(stage.ask, stage.now), 'IDENTITY_INVITATION_REFUSED')
  assert.ok(!stage.invitations.decide(invitation.id, { let: true, at: stage.now }).ok, 'decided once')
  assert.equal(issuedTo('Cleo'), 0)
})

test('expired, unknown and forged invitations', async () => {
  const old = stage.invite('Dan', { validDays: 1, confirmed: true })
  const used = stage.invite('Eli', { validDays: 1 })
  const eli = new Joining(crypto, used)
  must(await eli.ask(stage.ask, stage.now))
  stage.wait(2 * DAY_S)
  refused(await new Joining(crypto, old).ask(stage.ask, stage.now), 'IDENTITY_INVITATION_EXPIRED')
  must(stage.invitations.decide(used.id, { let: true, at: stage.now }))
  assert.ok(must(await eli.ask(stage.ask, stage.now)), 'used in time, confirmed later')
  refused(await new Joining(crypto, { ...old, secret: new Uint8Array(16) }).ask(stage.ask, stage.now), 'IDENTITY_INVITATION_UNKNOWN')
  // Whoever sees requests go by knows the id, not the key of the tag.
  using signer = newSigner()
  const csr = bareCsr(signer, 'x')
  const { id } = invitationKeys(crypto, stage.invite('Fay', { confirmed: true }).secret)
  const forged = encodeEnrol({ id, csr, tag: tagOf(crypto, new Uint8Array(32), PURPOSE.request, csr) })
  assert.equal(codeOf(stage.desk.enrol(forged, 'x')), 'IDENTITY_INVITATION_UNKNOWN')
  assert.equal(stage.invitations.get(id)?.use, undefined, 'a guess does not use it up')
  for (const junk of ['', '{', '[]', '{"v":1}', forged.replace('"v":1', '"v":2'), 'x'.repeat(1000)]) assert.equal(codeOf(stage.desk.enrol(junk, 'x')), 'IDENTITY_REQUEST_MALFORMED')
})

test('who stands in the way, and a server with a second authority: the joiner takes nothing that is not the named root\'s', async () => {
  const invitation = stage.invite('Gil', { confirmed: true })
  const theirs = second.options
  const through = (change: (r: Extract<EnrolReply, { status: 'issued' }>, j: Joining) => EnrolReply) => {
    const joining = new Joining(crypto, invitation, gil.pkcs8)
    const ask: Ask = async (q) => {
      const reply = decodeReply(must(await stage.ask(q)))!
      return ok(encodeReply(reply.status === 'issued' ? change(reply, joining) : reply))
    }
    return joining.ask(ask, stage.now)
  }
  const gil = new Joining(crypto, invitation)
  assert.ok(must(await gil.ask(stage.ask, stage.now)), 'the control')
  const made = issueCertificate(theirs.ca, { name: 'Gil', kind: 'member', now: stage.now })
  const key = invitationKeys(crypto, invitation.secret).reply
  refused(await through(() => issuedReply(theirs.ca, theirs, 'Gil', made.chain, new Uint8Array(32))), 'IDENTITY_ENROLMENT_FORGED')
  refused(await through((r) => ({ ...r, chain: made.chain })), 'IDENTITY_ENROLMENT_FORGED')
  refused(await through((r) => ({ ...r, root: theirs.root })), 'IDENTITY_ENROLMENT_FORGED')
  refused(await through((r) => ({ ...r, settings: { ...r.settings, server: 'evil.example.org' } })), 'IDENTITY_ENROLMENT_FORGED')
  refused(await through((r) => ({ ...r, name: 'Mallory' })), 'IDENTITY_ENROLMENT_FORGED')
  // Even somebody who knows the secret cannot give it another root, nor a certificate for another key.
  refused(await through(() => issuedReply(theirs.ca, theirs, 'Gil', made.chain, key)), 'IDENTITY_ENROLMENT_FORGED')
  const foreign = issueCertificate(stage.options.ca, { name: 'Gil', kind: 'member', now: stage.now })
  refused(await through(() => issuedReply(stage.options.ca, stage.options, 'Gil', foreign.chain, key)), 'IDENTITY_ENROLMENT_FORGED')
  refused(await new Joining(crypto, invitation, gil.pkcs8).ask(async () => ok('{"status":"issued"}'), stage.now), 'IDENTITY_ENROLMENT_FORGED')
  const loud = await new Joining(crypto, invitation).ask(async () => ok(encodeReply({ status: 'refused', code: 'X', message: 'a\u001b[2J\u202eb'.repeat(60) })), stage.now)
  assert.ok(!loud.ok && !/[\u001b\u202e]/.test(loud.fault.message) && loud.fault.message.length < 400)
})

test('the name is the inviter\'s: what a request asks for is not looked at', async () => {
  const invitation = stage.invite('Hal', { confirmed: true })
  using signer = newSigner()
  const csr = bareCsr(signer, 'The Director')
  const { id, request } = invitationKeys(crypto, invitation.secret)
  const reply = stage.desk.enrol(encodeEnrol({ id, csr, tag: tagOf(crypto, request, PURPOSE.request, csr) }), 'x')
  assert.ok(reply.status === 'issued' && reply.name === 'Hal')
  for (const name of ['Ann\u202eExample', 'Ann\nExample', '', 'x'.repeat(65)]) assert.ok(!stage.invitations.make(crypto, new Uint8Array(16), { name, validDays: 1, lifetimeDays: 1 }, stage.now).ok, JSON.stringify(name))
})

test('renewals by others: another\'s certificate, an old request, a second authority, a request nobody signed', async () => {
  const joining = new Joining(crypto, stage.invite('Ida', { confirmed: true }))
  const { chain } = must(await joining.ask(stage.ask, stage.now))!
  using own = crypto.signer('ecdsa-p256-sha256', joining.pkcs8)
  using thief = newSigner()
  const ask = (o: { csrBy?: typeof own; by?: typeof own; at?: number; chain?: typeof chain } = {}) => {
    const csr = bareCsr(o.csrBy ?? own, 'x')
    const at = o.at ?? stage.now
    return codeOf(renew(stage.options, encodeRenew({ chain: o.chain ?? chain, csr, at, signature: (o.by ?? own).sign(renewalMessage(csr, at)) })))
  }
  assert.equal(ask(), 'issued', 'the control')
  assert.equal(ask({ csrBy: thief, by: thief }), 'IDENTITY_RENEWAL_REFUSED')
  assert.equal(ask({ at: stage.now - 601 }), 'IDENTITY_RENEWAL_REFUSED')
  const foreign = issueCertificate(second.options.ca, { name: 'Ida', kind: 'member', now: stage.now })
  using foreignSigner = crypto.signer('ecdsa-p256-sha256', foreign.pkcs8)
  assert.equal(ask({ chain: [...foreign.chain], by: foreignSigner, csrBy: foreignSigner }), 'IDENTITY_RENEWAL_REFUSED')
  stage.wait(91 * DAY_S)
  assert.equal(ask({ at: stage.now }), 'IDENTITY_RENEWAL_REFUSED', 'too late: it has expired')
})
