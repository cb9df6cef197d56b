/** What the media thread knows of a phone: 20 ms in, 20 ms out. PCM is 16 kHz mono, 320 samples. */
import type { AddressPort } from '../../net/address.ts'
import type { HandsetMedia } from '../api.ts'

export interface PhoneLeg {
  /** Where the phone sends to; port 0 for one in this process. */
  readonly local: AddressPort
  /** After a new negotiation. False: another kind of phone, open a new leg. */
  set(media: HandsetMedia): boolean
  /** The next 20 ms that the phone said. False, and zeros: nothing (mute, hold, no packets). */
  speak(out: Int16Array, nowMs: number): boolean
  /** The next 20 ms for the phone. `pcm` is the caller's and changes afterwards. */
  hear(pcm: Int16Array, nowMs: number): void
  /** Time that passed without `hear`. */
  skip(frames: number): void
  /** A key pressed for whoever is at the other end. False, or left out: none can be sent. */
  press?(digit: string): boolean
  close(): void
}
