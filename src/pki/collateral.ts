/**
 * What Intel publishes about a kind of processor, from its provisioning service or a cache of it (PCS API v4). All of it is signed: whoever
 * serves it need not be trusted.
 */
import type { Der } from '../base/brand.ts'
import { fromHex } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { COLLATERAL_OCTETS_LIMIT, type Collateral } from '../protocol/sgx/collateral.ts'

export const INTEL_SERVICE = 'https://api.trustedservices.intel.com'
export const INTEL_ROOT_LIST = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'
const FETCH_MS = 15_000

export interface CollateralRequest {
  /** FMSPC: 12 hexadecimal digits. */
  readonly family: string
  readonly tee: 'sgx' | 'tdx'
  /** Who certified the processor: `platform` for those of servers since 2021. */
  readonly issuer: 'platform' | 'processor'
  readonly service: string
  /** Where the list of Intel's root is. */
  readonly rootList: string
}

export async function fetchCollateral(r: CollateralRequest): Promise<Result<Collateral>> {
  const api = (tee: 'sgx' | 'tdx', rest: string): string => `${r.service.replace(/\/+$/, '')}/${tee}/certification/v4/${rest}`
  const [tcb, qe, pckCrl, rootCrl] = await Promise.all([
    get(api(r.tee, `tcb?fmspc=${r.family.toUpperCase()}`)), get(api(r.tee, 'qe/identity')), get(api('sgx', `pckcrl?ca=${r.issuer}&encoding=der`)), get(r.rootList),
  ])
  for (const got of [tcb, qe, pckCrl, rootCrl]) if (!got.ok) return got
  if (!tcb.ok || !qe.ok || !pckCrl.ok || !rootCrl.ok) return err('ATTESTATION_FETCH')
  const tcbInfo = statement(tcb.value, 'tcbInfo', 'TCB-Info-Issuer-Chain')
  const qeIdentity = statement(qe.value, 'enclaveIdentity', 'SGX-Enclave-Identity-Issuer-Chain')
  if (!tcbInfo.ok) return tcbInfo
  if (!qeIdentity.ok) return qeIdentity
  return ok({
    rootCrl: list(rootCrl.value.body), pckCrl: list(pckCrl.value.body), tcbInfoChain: tcbInfo.value.chain, tcbInfo: tcbInfo.value.json, tcbInfoSignature: tcbInfo.value.signature,
    qeIdentityChain: qeIdentity.value.chain, qeIdentity: qeIdentity.value.json, qeIdentitySignature: qeIdentity.value.signature,
  })
}

interface Answer {
  readonly address: string
  readonly body: Uint8Array
  readonly headers: Headers
}

async function get(address: string): Promise<Result<Answer>> {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(FETCH_MS) })
    if (answer.status !== 200 || answer.body === null) return err('ATTESTATION_FETCH', `${address} (HTTP ${answer.status})`)
    const parts: Uint8Array[] = []
    let length = 0
    for await (const part of answer.body) {
      length += part.length
      if (length > COLLATERAL_OCTETS_LIMIT) return err('ATTESTATION_FETCH', `${address} (more than ${COLLATERAL_OCTETS_LIMIT} octets)`)
      parts.push(part)
    }
    return ok({ address, body: new Uint8Array(Buffer.concat(parts)), headers: answer.headers })
  } catch (e) {
    const { cause, message } = e as Error & { cause?: NodeJS.ErrnoException }
    return err('ATTESTATION_FETCH', `${address} (${cause?.code ?? message})`)
  }
}

/** `{"NAME":{…},"signature":"…"}`: the octets of the inner object were signed, so they are cut out and not read and written again. */
function statement({ address, body, headers }: Answer, name: string, chainHeader: string): Result<{ readonly json: string; readonly signature: Uint8Array; readonly chain: string }> {
  const [, json, digits] = new RegExp(`^\\{"${name}":(\\{.*\\}),"signature":"([0-9a-fA-F]{128})"\\}\\s*$`, 's').exec(Buffer.from(body).toString('utf8')) ?? []
  const chain = headers.get(chainHeader)
  if (json === undefined || digits === undefined || chain === null) return err('ATTESTATION_COLLATERAL', `${address} answers otherwise than Intel's service`)
  return ok({ json, signature: fromHex(digits)!, chain: unescaped(chain) })
}

function unescaped(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    return header
  }
}

/** Caches give the root's list in hexadecimal digits. */
function list(body: Uint8Array): Der {
  const text = body[0] === 0x30 && body[1] === 0x82 ? undefined : fromHex(Buffer.from(body).toString('latin1').trim())
  return (text ?? body) as Der
}
