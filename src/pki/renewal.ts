/** Our own certificate, renewed at the authority's door before it ends (docs/protocol/enrolment.md §3). Same key, same names. */
import { readFileSync } from 'node:fs'
import type { Der, UnixTime } from '../base/brand.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { CryptoPort, Signer } from '../crypto/port.ts'
import { type Certificate, parseCertificate } from '../protocol/x509/certificate.ts'
import { type Evidence, NO_EVIDENCE } from '../protocol/x509/evidence.ts'
import { EKU } from '../protocol/x509/extensions.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { bareCsr } from './csr.ts'
import { type Ask, refusal } from './enrolment/ask.ts'
import { checkIssued } from './enrolment/join.ts'
import { decodeReply, encodeRenew, renewalMessage } from './enrolment/messages.ts'
import { PUBLIC_MODE, replace, replaceable } from './files.ts'

export interface Renewable {
  readonly certificate: Certificate
  readonly chain: readonly Der[]
  /** By the certificate's key, as delegations want it. */
  readonly signer: Signer
  readonly certificateFile: string
}

/** Two thirds of its time are over. */
export const isDue = (c: Pick<Certificate, 'notBefore' | 'notAfter'>, now: UnixTime): boolean => now > c.notBefore + ((c.notAfter - c.notBefore) * 2) / 3

/** Where the authority's door is, when the certificate is of an authority of ours: its list's address is at the same door. */
export function doorOf(c: Certificate): { readonly host: string; readonly port: number } | undefined {
  const m = (c.extensions.crlAddresses ?? []).map((a) => /^https:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d+)\/list\.crl$/i.exec(a)).find((x) => x !== null)
  return m === null || m === undefined ? undefined : { host: m[1]!.replace(/^\[|\]$/g, ''), port: Number(m[2]) }
}

/**
 * Writes the new chain over the old one. `root`: of the anchors, the one that the new certificate must lead to. `evidence`: neither the door nor
 * the new certificate may be of an authority that it revokes.
 */
export async function renewAtDoor(crypto: CryptoPort, own: Renewable, root: Der, ask: Ask, now: UnixTime, evidence: Evidence = NO_EVIDENCE): Promise<Result<Certificate['notAfter']>> {
  const door = doorOf(own.certificate)
  if (door === undefined) return err('IDENTITY_RENEWAL_REFUSED', 'the certificate names no door of an authority of ours')
  if (own.signer.algorithm.startsWith('rsa')) return err('IDENTITY_RENEWAL_REFUSED', 'RSA keys are not renewed by themselves')
  // Before the authority is asked: what it issues stands in its index.
  const place = replaceable(own.certificateFile)
  if (!place.ok) return place
  const csr = bareCsr(own.signer, 'renewal')
  const at = Math.floor(now)
  const answered = await ask({ ...door, path: '/renew', body: encodeRenew({ chain: own.chain, csr, at, signature: own.signer.sign(renewalMessage(csr, at)) }), fingerprint: crypto.hash('sha256', root), evidence })
  if (!answered.ok) return answered
  const reply = decodeReply(answered.value)
  if (reply === undefined || reply.status === 'waiting') return err('IDENTITY_ENROLMENT_FORGED', 'its answer makes no sense')
  if (reply.status === 'refused') return refusal(reply)
  const purpose = own.certificate.extensions.extendedKeyUsage?.includes(EKU.serverAuth) === true ? 'server' : 'member'
  const good = checkIssued(crypto, { chain: reply.chain, root }, own.signer.spki, now, { purpose, evidence })
  if (!good.ok) return good
  const keys = readFileSync(own.certificateFile, 'latin1').includes('PRIVATE KEY')
  if (keys) return err('IDENTITY_RENEWAL_REFUSED', `${own.certificateFile} holds the key as well: put it into a file of its own`)
  const written = replace(own.certificateFile, reply.chain.map((der) => encodePem('CERTIFICATE', der)).join(''), PUBLIC_MODE)
  if (!written.ok) return written
  const fresh = parseCertificate(reply.chain[0]!)
  return fresh.ok ? ok(fresh.value.notAfter) : fresh
}
