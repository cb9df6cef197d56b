/**
 * What the frames of a sealed call brought besides sound, in the answer to an `open`. Records, one after the other:
 *   kind (1) ‖ length (2) ‖ body
 */
import { ByteReader, ByteWriter } from '../../base/bytes.ts'

export type CallNews =
  /** For `call.step`. `sealed`: it came under the keys of this call; otherwise anybody on the way may have made it. */
  | { readonly kind: 'message'; readonly sealed: boolean; readonly bytes: Uint8Array }
  /** What is known of the way between the two; `converts`: what one writes is not what the other gets. */
  | { readonly kind: 'path'; readonly path: 'unknown' | 'transparent' | 'converts' }
  /** What only the two know of each other, as soon as each has the other's share: where they can meet at a server. */
  | { readonly kind: 'meeting'; readonly token: Uint8Array }
  /** Messages to the other side are understood from now on. */
  | { readonly kind: 'ready' }
  /** The first frame under the keys of this call opened. */
  | { readonly kind: 'heard' }
  /** The keys' numbers are nearly used up. */
  | { readonly kind: 'low' }
  /** A frame opened under the keys of before, while others are being looked for. */
  | { readonly kind: 'back' }

const PATHS = ['unknown', 'transparent', 'converts'] as const

export function encodeNews(all: readonly CallNews[]): Uint8Array {
  const w = new ByteWriter()
  for (const n of all) {
    if (n.kind === 'message') w.u8(n.sealed ? 2 : 1).vec16(n.bytes)
    else if (n.kind === 'path') w.u8(3).vec16(Uint8Array.of(PATHS.indexOf(n.path)))
    else if (n.kind === 'meeting') w.u8(7).vec16(n.token)
    else w.u8({ ready: 4, heard: 5, low: 6, back: 8 }[n.kind]).vec16(new Uint8Array(0))
  }
  return w.finish()
}

/** Records that are not known are left out. */
export function decodeNews(bytes: Uint8Array): CallNews[] {
  const r = new ByteReader(bytes)
  const all: CallNews[] = []
  while (r.left > 0 && !r.failed) {
    const kind = r.u8()
    const body = r.vec16().slice()
    if (r.failed) break
    if (kind === 1 || kind === 2) all.push({ kind: 'message', sealed: kind === 2, bytes: body })
    else if (kind === 3) all.push({ kind: 'path', path: PATHS[body[0] ?? 0] ?? 'unknown' })
    else if (kind === 7) all.push({ kind: 'meeting', token: body })
    else if (kind === 8) all.push({ kind: 'back' })
    else if (kind >= 4 && kind <= 6) all.push({ kind: (['ready', 'heard', 'low'] as const)[kind - 4]! })
  }
  return all
}
