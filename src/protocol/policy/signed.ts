/** Signatures that stc makes besides those of MLS: each under a label of its own, so that none can stand for another. */
import { concat, utf8 } from '../../base/bytes.ts'

const PAD = new Uint8Array(64).fill(0x20)
const END = Uint8Array.of(0)

/** What is signed: `0x20 × 64 ‖ label ‖ 0x00 ‖ body`, in the manner of RFC 8446 §4.4.3. */
export const signedContent = (label: string, body: Uint8Array): Uint8Array => concat(PAD, utf8(label), END, body)
