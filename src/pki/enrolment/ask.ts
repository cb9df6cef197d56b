/** One question to an authority's door, over TLS that ends at the root that we were told of. */
import { request } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { type Der, unixTime } from '../../base/brand.ts'
import { type FaultCode, faultTable } from '../../base/faults/index.ts'
import { type Fault, type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { safeText } from '../../model/identity.ts'
import { type Evidence, NO_EVIDENCE } from '../../protocol/x509/evidence.ts'
import { makeAnchors, verifyPath } from '../../protocol/x509/path.ts'
import { isFingerprintOf } from './link.ts'
import { BODY_LIMIT, type EnrolReply } from './messages.ts'

export interface Question {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly body: string
  /** SHA-256 of the root certificate. */
  readonly fingerprint: Uint8Array
  /** What is known of revocation: a door whose authority was revoked is nobody's. A joiner knows nothing yet. */
  readonly evidence?: Evidence
}
/** The answer's body. */
export type Ask = (q: Question) => Promise<Result<string>>

/** An open connection on which nothing was said yet, by whatever proxy there is. */
export type Reach = (target: { readonly host: string; readonly port: number }) => Promise<Result<Socket>>

const ASK_MS = 10_000
/** Longer than any connection takes to be given up. */
const ALIVE_MS = 120_000

/** `patienceMs`: for the connection, and again for the answer. */
export const asker = (crypto: CryptoPort, reach: Reach, patienceMs = ASK_MS): Ask => async (q) => {
  // A connection in the making does not keep a process alive; whoever asks waits for the answer.
  const alive = setTimeout(() => {}, ALIVE_MS)
  const reached = await reach({ host: q.host, port: q.port })
  clearTimeout(alive)
  // One code for whoever is asked again later; why, in words.
  return reached.ok ? askOn(reached.value, crypto, q, patienceMs) : err('IDENTITY_ENROLMENT_UNREACHABLE', reached.fault.message, reached.fault)
}

const askOn = (way: Socket, crypto: CryptoPort, q: Question, patienceMs: number): Promise<Result<string>> => new Promise((resolve) => {
  const give = (r: Result<string>): void => {
    clearTimeout(timer)
    asked.destroy()
    way.destroy()
    resolve(r)
  }
  const at = `${q.host} port ${q.port}`
  // Of its own: a request whose connection was made for it sets no limit, and neither does TLS over a connection that stands.
  const timer = setTimeout(() => give(err('IDENTITY_ENROLMENT_UNREACHABLE', `${at} does not answer`)), patienceMs)
  // Whether it is the right one is decided below: OpenSSL would ask another set of authorities.
  const asked = request({
    host: q.host, port: q.port, path: q.path, method: 'POST', headers: { 'content-type': 'application/json' },
    createConnection: () => connect({ socket: way, ...(isIP(q.host) === 0 ? { servername: q.host } : {}), rejectUnauthorized: false, minVersion: 'TLSv1.3' }),
  })
  asked.on('socket', (socket) => socket.once('secureConnect', () => {
    const good = checkDoor(crypto, socket as TLSSocket, q)
    if (good.ok) asked.end(q.body)
    else give(good)
  }))
  // Cut off in the middle of its answer there is neither an end nor an error.
  asked.on('close', () => give(err('IDENTITY_ENROLMENT_UNREACHABLE', `${at} (closed)`)))
  asked.on('error', (e: NodeJS.ErrnoException) => give(err('IDENTITY_ENROLMENT_UNREACHABLE', `${at} (${e.code ?? e.message})`)))
  asked.on('response', (response) => {
    const parts: Buffer[] = []
    let length = 0
    response.on('data', (part: Buffer) => {
      length += part.length
      if (length > BODY_LIMIT) give(err('IDENTITY_ENROLMENT_FORGED', 'its answer is too long'))
      else parts.push(part)
    })
    response.on('end', () => give(response.statusCode === 200 ? ok(Buffer.concat(parts).toString('utf8')) : err('IDENTITY_ENROLMENT_REFUSED', `HTTP ${response.statusCode ?? 0}`)))
  })
})

/** Before anything is sent: the chain must hold the named root, and lead to it. */
function checkDoor(crypto: CryptoPort, socket: TLSSocket, { host, fingerprint, evidence = NO_EVIDENCE }: Question): Result<void> {
  const chain: Der[] = []
  for (let c = socket.getPeerX509Certificate(); c !== undefined && chain.length < 6; c = c.issuerCertificate) chain.push(new Uint8Array(c.raw) as Der)
  const root = chain.find((der) => isFingerprintOf(crypto, fingerprint, der))
  const anchors = root === undefined ? undefined : makeAnchors([root])
  if (anchors === undefined || !anchors.ok) return err('IDENTITY_ENROLMENT_FORGED', 'it shows another root')
  const server = verifyPath(crypto, chain, anchors.value, evidence, unixTime(Math.floor(Date.now() / 1000)), 'server', 'revoked')
  if (!server.ok) return err('IDENTITY_ENROLMENT_FORGED', server.fault.code, server.fault)
  return server.value.hosts.includes(host.toLowerCase()) ? ok(undefined) : err('IDENTITY_ENROLMENT_FORGED', `its certificate is for ${server.value.hosts.join(', ')}`)
}

/** A refusal in the authority's own words, as far as they are words. */
export function refusal({ code, message }: Extract<EnrolReply, { status: 'refused' }>): { readonly ok: false; readonly fault: Fault } {
  return Object.hasOwn(faultTable, code) ? { ok: false, fault: { code: code as FaultCode, message: safeText(message, 400) } } : err('IDENTITY_ENROLMENT_REFUSED', safeText(message, 200))
}
