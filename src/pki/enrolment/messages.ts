/** What joiner and authority say to each other (docs/protocol/enrolment.md §2): JSON over HTTPS, octets in base64. */
import type { Der } from '../../base/brand.ts'
import { concat, utf8 } from '../../base/bytes.ts'
import type { AuthoritySettings } from '../ca-files.ts'

export const BODY_LIMIT = 256 * 1024
export const PURPOSE = { request: 'stc enrol request v1', reply: 'stc enrol reply v1', renewal: 'stc renew v1' } as const

export interface EnrolRequest {
  /** Of the invitation. */
  readonly id: string
  readonly csr: Uint8Array
  /** HMAC over the csr by the invitation's request key. */
  readonly tag: Uint8Array
}

export interface RenewRequest {
  /** Present certificate, then intermediates. */
  readonly chain: readonly Der[]
  readonly csr: Uint8Array
  /** Seconds since 1970. */
  readonly at: number
  /** By the present certificate's key, over `renewalMessage`. */
  readonly signature: Uint8Array
}

export type EnrolReply =
  /** Whoever invited has to say yes; ask again. */
  | { readonly status: 'waiting' }
  | { readonly status: 'refused'; readonly code: string; readonly message: string }
  | { readonly status: 'issued'; readonly name: string; readonly chain: readonly Der[]; readonly root: Der; readonly settings: AuthoritySettings; readonly tag: Uint8Array }

/** What the reply's tag covers. */
export const issuedMessage = (r: Omit<Extract<EnrolReply, { status: 'issued' }>, 'tag' | 'status'>): Uint8Array =>
  utf8(JSON.stringify([r.name, r.chain.map(b64), b64(r.root), r.settings.server ?? null, r.settings.serverPort ?? null, r.settings.realm ?? null, ...(r.settings.journal === false ? [false] : [])]))

export const renewalMessage = (csr: Uint8Array, at: number): Uint8Array => concat(utf8(PURPOSE.renewal), Uint8Array.of(0), utf8(`${at}`), Uint8Array.of(0), csr)

export const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
export const unb64 = (text: unknown): Uint8Array | undefined => (typeof text === 'string' && text.length <= BODY_LIMIT && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined)

const object = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
const ders = (value: unknown): Der[] | undefined => {
  if (!Array.isArray(value) || value.length < 1 || value.length > 6) return undefined
  const all = value.map(unb64)
  return all.every((d) => d !== undefined) ? (all as Der[]) : undefined
}
const text = (value: unknown, limit = 256): string | undefined => (typeof value === 'string' && value.length <= limit ? value : undefined)

export const encodeEnrol = (r: EnrolRequest): string => JSON.stringify({ v: 1, id: r.id, csr: b64(r.csr), tag: b64(r.tag) })
export function decodeEnrol(body: string): EnrolRequest | undefined {
  const o = object(body)
  const [id, csr, tag] = [text(o?.['id'], 32), unb64(o?.['csr']), unb64(o?.['tag'])]
  return o?.['v'] === 1 && id !== undefined && /^[0-9a-f]{32}$/.test(id) && csr !== undefined && tag?.length === 32 ? { id, csr, tag } : undefined
}

export const encodeRenew = (r: RenewRequest): string => JSON.stringify({ v: 1, chain: r.chain.map(b64), csr: b64(r.csr), at: r.at, signature: b64(r.signature) })
export function decodeRenew(body: string): RenewRequest | undefined {
  const o = object(body)
  const [chain, csr, signature, at] = [ders(o?.['chain']), unb64(o?.['csr']), unb64(o?.['signature']), o?.['at']]
  return o?.['v'] === 1 && chain !== undefined && csr !== undefined && signature !== undefined && typeof at === 'number' && Number.isSafeInteger(at) ? { chain, csr, signature, at } : undefined
}

export const encodeReply = (r: EnrolReply): string =>
  JSON.stringify(r.status === 'issued' ? { status: r.status, name: r.name, chain: r.chain.map(b64), root: b64(r.root), settings: r.settings, tag: b64(r.tag) } : r)
export function decodeReply(body: string): EnrolReply | undefined {
  const o = object(body)
  if (o === undefined) return undefined
  if (o['status'] === 'waiting') return { status: 'waiting' }
  if (o['status'] === 'refused') {
    const [code, message] = [text(o['code'], 64), text(o['message'], 1024)]
    return code !== undefined && message !== undefined ? { status: 'refused', code, message } : undefined
  }
  const [name, chain, root, tag] = [text(o['name']), ders(o['chain']), unb64(o['root']), unb64(o['tag'])]
  const s = o['settings'] as Record<string, unknown> | undefined
  if (o['status'] !== 'issued' || name === undefined || chain === undefined || root === undefined || tag === undefined || typeof s !== 'object' || s === null) return undefined
  const [server, realm, port] = [text(s['server'], 253), text(s['realm'], 64), s['serverPort']]
  return {
    status: 'issued', name, chain, root: root as Der, tag,
    settings: { ...(server === undefined ? {} : { server }), ...(realm === undefined ? {} : { realm }), ...(typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? { serverPort: port } : {}), ...(s['journal'] === false ? { journal: false as const } : {}) },
  }
}
