/** The authority's side of renewal (docs/protocol/enrolment.md §3): the same names again, for whoever holds the present certificate's key. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { sameBytes, toHex } from '../../base/bytes.ts'
import { type Fault, makeFault, type Result } from '../../base/result.ts'
import { verifyCertificationRequest } from '../../protocol/x509/certification-request.ts'
import { delegationAlgorithm } from '../../protocol/x509/delegation.ts'
import { makeAnchors, type VerifiedPath, verifyChain } from '../../protocol/x509/path.ts'
import { type CertificateRequest, certify } from '../authority.ts'
import { listIssued, noteIssued } from '../ca-directory.ts'
import { readEarlier } from '../ca-files.ts'
import { currentLists, listRevoked } from '../revoked.ts'
import { decodeRenew, type EnrolReply, renewalMessage, type RenewRequest } from './messages.ts'
import { type DeskOptions, issuedReply, no, refuse } from './reply.ts'

/** A renewal may be this old, for clocks and slow lines. */
const RENEWAL_AGE_S = 600

export function renew(o: DeskOptions, body: string): EnrolReply {
  const request = decodeRenew(body)
  if (request === undefined) return no('IDENTITY_REQUEST_MALFORMED')
  const good = holder(o, request)
  if ('code' in good) return refuse(good)
  const issued = listIssued(o.dir)
  if (!issued.ok) return refuse(issued.fault)
  const entry = issued.value.find((e) => e.serial === good.serial && e.fingerprint === good.fingerprint)
  if (entry === undefined) return no('IDENTITY_SERIAL_UNKNOWN', good.serial)
  const asked = verifyCertificationRequest(o.ca.crypto, request.csr)
  if (!asked.ok) return refuse(asked.fault)
  const again: CertificateRequest = {
    name: entry.name, ...(entry.organisation === undefined ? {} : { organisation: entry.organisation }), emails: entry.emails, hosts: entry.hosts, ...(entry.sips === undefined ? {} : { sips: entry.sips }), kind: entry.kind, now: o.now(),
    lifetimeDays: Math.max(1, Math.round((entry.notAfter - entry.issued) / 86_400)),
  }
  const chain = certify(o.ca, asked.value.spki, again)
  const noted = noteIssued(o.ca, o.dir, chain, again)
  if (!noted.ok) return refuse(noted.fault)
  o.note?.(`${entry.name} renewed its certificate`)
  // Nobody shares a key for the reply: the chain itself shows whose it is.
  return issuedReply(o.ca, o, entry.name, chain, new Uint8Array(32))
}

/** Whose certificate it is, and that its key asked. */
function holder(o: DeskOptions, request: RenewRequest): { readonly serial: string; readonly fingerprint: string } | Fault {
  const { ca, dir } = o
  const now = o.now()
  const refused = (why: string) => makeFault('IDENTITY_RENEWAL_REFUSED', why)
  if (Math.abs(now - request.at) > RENEWAL_AGE_S) return refused('the clocks differ by more than ten minutes')
  const verified = presented(o, request, now)
  if (!verified.ok) return makeFault('IDENTITY_RENEWAL_REFUSED', verified.fault.code, verified.fault)
  const [certificate, issuer] = verified.value.path
  const algorithm = certificate === undefined ? undefined : delegationAlgorithm(certificate.key)
  if (certificate === undefined || algorithm === undefined || !ca.crypto.verify(algorithm, certificate.spki, renewalMessage(request.csr, request.at), request.signature)) return refused('the present certificate\'s key did not sign the request')
  if (issuer === undefined) return refused('another authority issued it')
  const held = { serial: certificate.serial, fingerprint: toHex(ca.crypto.hash('sha256', certificate.der)) }
  if (sameBytes(issuer.der, ca.certificate)) return held
  // Of an issuing authority before this one, its key stolen or not: what was issued is in the index, by fingerprint.
  const gone = listRevoked(dir)
  if (!gone.ok) return gone.fault
  if (gone.value.some((r) => r.serial === certificate.serial)) return refused('IDENTITY_REVOKED')
  return readEarlier(dir).some((e) => sameBytes(e.certificate, issuer.der)) ? held : refused('another authority issued it')
}

function presented({ ca, root, dir }: DeskOptions, { chain }: RenewRequest, now: UnixTime): Result<VerifiedPath> {
  const anchors = makeAnchors([root])
  if (!anchors.ok) return anchors
  const lists = currentLists(ca, dir, now)
  if (!lists.ok) return lists
  const own = chain.some((der) => sameBytes(der, ca.certificate))
  const proofs = own ? lists.value.map((der) => ({ kind: 'crl' as const, der: der as Der })) : []
  const as = (purpose: 'member' | 'server') => verifyChain(ca.crypto, chain, anchors.value, proofs, now, purpose, own ? 'named' : 'given')
  const member = as('member')
  return !member.ok && member.fault.code === 'IDENTITY_WRONG_PURPOSE' ? as('server') : member
}
