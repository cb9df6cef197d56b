/**
 * Getting statements about revocation from where certificates say that they are published: lists by GET, OCSP answers by POST
 * (RFC 6960 §A.1). What comes is signed, so the connection need not be trusted: a door of our own authority is not known to OpenSSL.
 */
import { type ClientRequest, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { fromHex } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { RevocationProof } from '../model/trust.ts'
import { publicKeyBits } from '../protocol/x509/algorithm.ts'
import type { Certificate } from '../protocol/x509/certificate.ts'
import { CRL_OCTETS_LIMIT, parseRevocationList } from '../protocol/x509/crl.ts'
import { OCSP_OCTETS_LIMIT, parseOcspResponse } from '../protocol/x509/ocsp.ts'
import { decodePem } from '../protocol/x509/pem.ts'
import { nothing, octetString, oid, sequence, unsigned } from './der.ts'

const FETCH_MS = 10_000
const REDIRECTS = 3

export const isFetchable = (address: string): boolean => /^https?:\/\//i.test(address)

/** Lists in one answer of a door of ours: of issuing authorities one after the other, and of their root. */
const LISTS_LIMIT = 16

/** A list, in DER or (as some publish it) in PEM; several from a door of ours whose issuing authority is not its first. */
export async function fetchLists(address: string): Promise<Result<readonly RevocationProof[]>> {
  const got = await get(address, undefined, CRL_OCTETS_LIMIT)
  if (!got.ok) return got
  const ders = got.value[0] === 0x30 ? [got.value] : decodePem(Buffer.from(got.value).toString('latin1')).filter((b) => b.label === 'X509 CRL').map((b) => b.bytes ?? NOTHING)
  const proofs: RevocationProof[] = []
  for (const der of ders.length === 0 ? [NOTHING] : ders.slice(0, LISTS_LIMIT)) {
    const parsed = parseRevocationList(der)
    if (!parsed.ok) return err('IDENTITY_FETCH_FAILED', address, parsed.fault)
    proofs.push({ kind: 'crl', der: parsed.value.der })
  }
  return ok(proofs)
}

const NOTHING = new Uint8Array(0)

/** OCSPRequest ::= SEQUENCE { SEQUENCE { SEQUENCE OF { CertID } } }: without a nonce, so that answers can be made in advance (RFC 5019). */
export function ocspRequest(crypto: CryptoPort, subject: Certificate, issuer: Certificate): Uint8Array {
  const id = sequence(
    sequence(oid('1.3.14.3.2.26'), nothing()), octetString(crypto.hash('sha1', issuer.subject.der)), octetString(crypto.hash('sha1', publicKeyBits(issuer.spki))), unsigned(fromHex(subject.serial) ?? new Uint8Array(0)),
  )
  return sequence(sequence(sequence(sequence(id))))
}

export async function fetchAnswer(crypto: CryptoPort, address: string, subject: Certificate, issuer: Certificate): Promise<Result<RevocationProof>> {
  const got = await get(address, ocspRequest(crypto, subject, issuer), OCSP_OCTETS_LIMIT)
  if (!got.ok) return got
  const parsed = parseOcspResponse(got.value)
  return parsed.ok ? ok({ kind: 'ocsp', der: parsed.value.der }) : err('IDENTITY_FETCH_FAILED', address, parsed.fault)
}

async function get(address: string, body: Uint8Array | undefined, limit: number): Promise<Result<Uint8Array>> {
  let at = address
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const got = await once(at, body, limit)
    if (!got.ok || got.value instanceof Uint8Array) return got as Result<Uint8Array>
    at = got.value.location
  }
  return err('IDENTITY_FETCH_FAILED', `${address} leads on and on`)
}

function once(address: string, body: Uint8Array | undefined, limit: number): Promise<Result<Uint8Array | { readonly location: string }>> {
  return new Promise((resolve) => {
    const fail = (why: string): void => {
      asked?.destroy()
      resolve(err('IDENTITY_FETCH_FAILED', `${address} (${why})`))
    }
    let asked: ClientRequest | undefined
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url === undefined || !isFetchable(address)) return fail('not an address of the web')
    const options = {
      method: body === undefined ? 'GET' : 'POST', timeout: FETCH_MS, agent: false as const, rejectUnauthorized: false, maxHeaderSize: 16_384,
      headers: body === undefined ? {} : { 'content-type': 'application/ocsp-request', 'content-length': body.length },
    }
    const whole = setTimeout(() => fail('too slow'), 3 * FETCH_MS)
    asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options)
    let complete = (): boolean => false
    asked.on('close', () => {
      clearTimeout(whole)
      // Cut off in the middle of its answer there is neither an end nor an error.
      if (!complete()) fail('closed')
    })
    asked.on('timeout', () => fail('no answer'))
    asked.on('error', (e: NodeJS.ErrnoException) => fail(e.code ?? e.message))
    asked.on('response', (response) => {
      complete = () => response.complete
      const { statusCode = 0, headers } = response
      const location = headers.location === undefined || !URL.canParse(headers.location, address) ? undefined : new URL(headers.location, address).href
      if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
        resolve(ok({ location }))
        return void asked?.destroy()
      }
      if (statusCode !== 200) return fail(`HTTP ${statusCode}`)
      const parts: Buffer[] = []
      let length = 0
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > limit) fail(`more than ${limit} octets`)
        else parts.push(part)
      })
      response.on('end', () => resolve(ok(new Uint8Array(Buffer.concat(parts)))))
    })
    asked.end(body)
  })
}
