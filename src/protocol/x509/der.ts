/**
 * Strict reading of DER (X.690 §8, §10): definite minimal lengths, low tag numbers, minimal integers,
 * nothing left over. Like `ByteReader`, the first failure sticks and a decoder checks once, at its end.
 */
export const TAG = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, null: 0x05, oid: 0x06, enumerated: 0x0a,
  utf8String: 0x0c, sequence: 0x30, set: 0x31, numericString: 0x12, printableString: 0x13, t61String: 0x14,
  ia5String: 0x16, utcTime: 0x17, generalizedTime: 0x18, visibleString: 0x1a, universalString: 0x1c, bmpString: 0x1e,
} as const

/** Tag of `[n]` in context class, IMPLICIT primitive or constructed. */
export const context = (n: number, constructed = false): number => 0x80 | (constructed ? 0x20 : 0) | n

/** Shared by a reader and all that were entered from it: the first reason why the input is refused. */
export class DerFailure {
  reason: string | undefined
}

export interface Element {
  readonly tag: number
  /** Content octets, a view. */
  readonly body: Uint8Array
  /** Tag, length and content, a view. */
  readonly whole: Uint8Array
}

const NOTHING: Element = { tag: -1, body: new Uint8Array(0), whole: new Uint8Array(0) }
const OID_OCTETS_LIMIT = 64

export class DerReader {
  readonly failure: DerFailure
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array, failure = new DerFailure()) {
    this.#bytes = bytes
    this.failure = failure
  }
  get failed(): boolean {
    return this.failure.reason !== undefined
  }
  /** Whether another element follows; false after a failure, so that loops end. */
  get more(): boolean {
    return !this.failed && this.#at < this.#bytes.length
  }
  fail(reason: string): void {
    this.failure.reason ??= reason
  }
  next(tag: number): boolean {
    return this.more && this.#bytes[this.#at] === tag
  }
  /** The next element, of any tag. */
  any(): Element {
    if (this.failed) return NOTHING
    const start = this.#at
    const left = this.#bytes.length - start
    if (left < 2) return this.#refuse('element cut short')
    const tag = this.#bytes[start]!
    if ((tag & 0x1f) === 0x1f) return this.#refuse('tag number above 30')
    const first = this.#bytes[start + 1]!
    const lengthOctets = first < 0x80 ? 0 : first & 0x7f
    if (first === 0x80 || lengthOctets > 3) return this.#refuse('length indefinite or too large')
    if (left < 2 + lengthOctets) return this.#refuse('element cut short')
    let length = first < 0x80 ? first : 0
    for (let i = 0; i < lengthOctets; i++) length = length * 256 + this.#bytes[start + 2 + i]!
    // X.690 §10.1: the shortest form.
    if (lengthOctets > 0 && (length < 0x80 || length < 2 ** (8 * (lengthOctets - 1)))) return this.#refuse('length not minimal')
    const bodyAt = start + 2 + lengthOctets
    const end = bodyAt + length
    if (end > this.#bytes.length) return this.#refuse('element longer than what holds it')
    this.#at = end
    return { tag, body: this.#bytes.subarray(bodyAt, end), whole: this.#bytes.subarray(start, end) }
  }
  element(tag: number): Element {
    if (!this.failed && !this.next(tag)) return this.#refuse(`expected tag 0x${tag.toString(16)}`)
    return this.any()
  }
  /** A reader of the next element's content. */
  enter(tag: number): DerReader {
    return new DerReader(this.element(tag).body, this.failure)
  }
  enterIf(tag: number): DerReader | undefined {
    return this.next(tag) ? this.enter(tag) : undefined
  }
  /** Nothing may follow. */
  end(): void {
    if (!this.failed && this.#at !== this.#bytes.length) this.fail('octets left over')
  }

  boolean(tag: number = TAG.boolean): boolean {
    const { body } = this.element(tag)
    if (this.failed) return false
    if (body.length !== 1 || (body[0] !== 0 && body[0] !== 0xff)) this.fail('boolean not 00 or FF')
    return body[0] === 0xff
  }
  /** Two's complement content octets, minimal (X.690 §8.3.2). */
  integer(tag: number = TAG.integer): Uint8Array {
    const { body } = this.element(tag)
    if (this.failed) return body
    if (body.length === 0) this.fail('empty integer')
    else if (body.length > 1 && (body[0] === 0 ? body[1]! < 0x80 : body[0] === 0xff && body[1]! >= 0x80)) this.fail('integer not minimal')
    return body
  }
  /** Magnitude of an integer that must not be negative. */
  unsigned(tag: number = TAG.integer): Uint8Array {
    const body = this.integer(tag)
    if (!this.failed && body[0]! >= 0x80) this.fail('negative integer')
    return body.length > 1 && body[0] === 0 ? body.subarray(1) : body
  }
  /** An integer from 0 to 2^32 − 1. */
  small(tag: number = TAG.integer): number {
    const magnitude = this.unsigned(tag)
    if (magnitude.length > 4) this.fail('integer too large')
    return this.failed ? 0 : magnitude.reduce((sum, octet) => sum * 256 + octet, 0)
  }
  /** Bits as octets; unused bits of the last octet must be zero (X.690 §11.2.1). */
  bitString(tag: number = TAG.bitString): { readonly bytes: Uint8Array; readonly unused: number } {
    const { body } = this.element(tag)
    const unused = body[0] ?? 0
    const bytes = body.subarray(1)
    if (this.failed) return { bytes, unused }
    const last = bytes.at(-1)
    if (body.length === 0 || unused > 7 || (last === undefined ? unused !== 0 : (last & ((1 << unused) - 1)) !== 0)) this.fail('bit string with wrong unused bits')
    return { bytes, unused }
  }
  /** A bit string of whole octets. */
  octetBits(): Uint8Array {
    const { bytes, unused } = this.bitString()
    if (unused !== 0) this.fail('bit string not of whole octets')
    return bytes
  }
  octetString(tag: number = TAG.octetString): Uint8Array {
    return this.element(tag).body
  }
  null(): void {
    if (this.element(TAG.null).body.length !== 0) this.fail('null with content')
  }
  /** In dotted form. */
  oid(tag: number = TAG.oid): string {
    const { body } = this.element(tag)
    if (this.failed) return ''
    if (body.length === 0 || body.length > OID_OCTETS_LIMIT || body.at(-1)! >= 0x80) return this.#refuseOid()
    const arcs: number[] = []
    let arc = 0
    let fresh = true
    for (const octet of body) {
      // X.690 §8.19.2: no leading 0x80 in a subidentifier.
      if ((fresh && octet === 0x80) || arc > 2 ** 45) return this.#refuseOid()
      arc = arc * 128 + (octet & 0x7f)
      fresh = octet < 0x80
      if (!fresh) continue
      arcs.push(arc)
      arc = 0
    }
    const [head = 0, ...tail] = arcs
    const top = Math.min(2, Math.floor(head / 40))
    return [top, head - 40 * top, ...tail].join('.')
  }
  #refuseOid(): string {
    this.fail('bad object identifier')
    return ''
  }
  #refuse(reason: string): Element {
    this.fail(reason)
    return NOTHING
  }
}
