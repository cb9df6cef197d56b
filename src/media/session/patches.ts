/** Two phones patched to each other: the page's sound and the telephone line that it speaks on. */
import { FRAME_SAMPLES } from '../../audio/codec.ts'
import type { MediaCommand, PhoneId } from '../api.ts'
import type { Phone, Phones } from './phones.ts'

/** 20 ms of PCM. */
export const newFrame = (): Int16Array => new Int16Array(FRAME_SAMPLES)

/** As many frames as one tick catches up with. */
const FRAMES = 4

interface Side {
  readonly other: PhoneId
  /** What the other said in this tick. */
  readonly heard: Int16Array
  /** The other's word does not come here. */
  deaf: boolean
}

export class Patches {
  readonly #sides = new Map<PhoneId, Side>()

  set({ phone, with: other, muted }: Extract<MediaCommand, { op: 'phone.patch' }>): void {
    if (other === undefined || this.#sides.get(phone)?.other !== other) {
      this.close(phone)
      if (other === undefined || other === phone) return
      this.close(other)
      for (const [a, b] of [[phone, other], [other, phone]] as const) this.#sides.set(a, { other: b, heard: new Int16Array(FRAMES * FRAME_SAMPLES), deaf: false })
    }
    this.#sides.get(other)!.deaf = muted
  }
  close(phone: PhoneId): void {
    const side = this.#sides.get(phone)
    if (side === undefined) return
    this.#sides.delete(phone)
    this.#sides.delete(side.other)
  }

  /** Takes what patched phones say in this tick; a phone in a room speaks there. */
  speak(phones: Phones, speaking: Set<Phone>, frames: number, nowMs: number): void {
    for (const [id, side] of this.#sides) {
      const from = phones.get(side.other)
      side.heard.fill(0)
      if (from === undefined || speaking.has(from) || phones.get(id) === undefined) continue
      speaking.add(from)
      for (let i = 0; i < Math.min(frames, FRAMES); i++) from.leg?.speak(side.heard.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES), nowMs)
      if (side.deaf) side.heard.fill(0)
    }
  }
  /** Frame `index` of this tick for a phone, silence where it is patched to nobody. */
  hear(phone: PhoneId, index: number, out: Int16Array): void {
    const side = this.#sides.get(phone)
    if (side === undefined || index >= FRAMES) out.fill(0)
    else out.set(side.heard.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES))
  }
}
