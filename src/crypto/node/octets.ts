/** node:crypto answers with Buffers, whose `slice` shares memory; the port promises plain arrays of their own. */
export const own = (b: Uint8Array): Uint8Array => new Uint8Array(b)
