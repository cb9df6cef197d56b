/**
 * Messages of a key agreement as bodies of SIP MESSAGE (RFC 3428) inside a call. Text, since servers handle bodies as such, and short: Asterisk takes
 * at most 1023 octets, RFC 3428 §8 asks for requests below 1300.
 *
 *   stc1 probe NONCE            is there somebody who understands this?
 *   stc1 answer NONCE           yes
 *   stc1 part N I OF BASE64     part I of OF of message N
 */
import { concat } from '../../base/bytes.ts'

export const CONTENT_TYPE = 'application/x-stc-agreement'
/** Octets of a message in one body: 560 characters of base64 besides the line. */
const PART = 420
const PARTS = 64
/** Messages of which parts are there. */
const OPEN = 8

export interface AgreementPart {
  readonly kind: 'part'
  readonly number: number
  readonly index: number
  readonly of: number
  readonly data: Uint8Array
}
export type AgreementBody =
  | { readonly kind: 'probe' | 'answer'; readonly nonce: string }
  | AgreementPart

export const encodeBody = (b: AgreementBody): string =>
  b.kind === 'part' ? `stc1 part ${b.number} ${b.index} ${b.of} ${toBase64(b.data)}` : `stc1 ${b.kind} ${b.nonce}`

/** Undefined for anything but the one encoding. */
export function decodeBody(text: string): AgreementBody | undefined {
  const hello = /^stc1 (probe|answer) ([0-9a-f]{16})$/.exec(text)
  if (hello !== null) return { kind: hello[1] as 'probe' | 'answer', nonce: hello[2]! }
  const part = /^stc1 part (0|[1-9]\d{0,5}) (0|[1-9]\d?) ([1-9]\d?) ([A-Za-z0-9+/]+={0,2})$/.exec(text)
  if (part === null) return undefined
  const [number, index, of] = [Number(part[1]), Number(part[2]), Number(part[3])]
  const data = fromBase64(part[4]!)
  return index < of && of <= PARTS && data !== undefined && data.length <= PART ? { kind: 'part', number, index, of, data } : undefined
}

export function split(message: Uint8Array, number: number): AgreementBody[] {
  const of = Math.max(1, Math.ceil(message.length / PART))
  return Array.from({ length: of }, (_, index) => ({ kind: 'part', number, index, of, data: message.subarray(index * PART, (index + 1) * PART) }))
}

/** Puts parts together again; they come in any order, and some never. */
export class Assembler {
  readonly #open = new Map<number, (Uint8Array | undefined)[]>()

  /** The message that this part completes. */
  take({ number, index, of, data }: AgreementPart): Uint8Array | undefined {
    const parts = this.#open.get(number) ?? Array.from<Uint8Array | undefined>({ length: of })
    if (parts.length !== of) return undefined
    this.#open.set(number, parts)
    parts[index] ??= data
    if (parts.includes(undefined)) {
      if (this.#open.size > OPEN) this.#open.delete(this.#open.keys().next().value!)
      return undefined
    }
    this.#open.delete(number)
    return concat(...(parts as Uint8Array[]))
  }
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
/** Only the one encoding. */
function fromBase64(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  return toBase64(bytes) === text ? bytes : undefined
}
