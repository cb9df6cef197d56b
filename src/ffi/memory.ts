/** Memory that foreign functions may read and write. */
import type { Address, Library } from './library.ts'

/**
 * A block that is given back only with the object; it belongs to one thread and is never transferred.
 * Node keeps the contents of array buffers outside the moving heap, so addresses stay.
 */
export class Memory {
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  readonly base: Address

  constructor(library: Library, octets: number) {
    this.buffer = new ArrayBuffer(octets)
    this.bytes = new Uint8Array(this.buffer)
    this.view = new DataView(this.buffer)
    this.base = library.addressOf(this.bytes)
  }
  /** Address of the `length` octets at `at`. Throws a RangeError where they are not all inside. */
  address(at: number, length: number): Address {
    if (!Number.isSafeInteger(at) || !Number.isSafeInteger(length) || at < 0 || length < 0 || at + length > this.bytes.length) {
      throw new RangeError(`octets ${at}..${at + length} of ${this.bytes.length}`)
    }
    return this.base + at
  }
}
