/** A robot's or a terminal's sound: a phone without a network. */
import { FRAME_SAMPLES } from '../../audio/codec.ts'
import type { MediaEvent, PcmMedia, PhoneId } from '../api.ts'
import type { PhoneLeg } from './phone.ts'

/** One `phone.heard` event a second. */
const FRAMES_PER_EVENT = 50

export function pcmPhone(id: PhoneId, media: PcmMedia, emit: (e: MediaEvent) => void): PhoneLeg {
  let { speech, record } = media
  let at = 0
  let heard = new Int16Array(FRAMES_PER_EVENT * FRAME_SAMPLES)
  let filled = 0

  const flush = (): void => {
    if (filled === 0) return
    emit({ op: 'phone.heard', phone: id, pcm: filled === heard.length ? heard : heard.slice(0, filled) })
    heard = new Int16Array(FRAMES_PER_EVENT * FRAME_SAMPLES)
    filled = 0
  }
  return {
    local: { address: '', port: 0 },
    set(next) {
      if (next.kind !== 'pcm') return false
      if (next.speech !== speech) at = 0
      speech = next.speech
      record = next.record
      return true
    },
    speak(out) {
      if (speech.length === 0) {
        out.fill(0)
        return false
      }
      for (let i = 0; i < out.length;) {
        const take = Math.min(out.length - i, speech.length - at)
        out.set(speech.subarray(at, at + take), i)
        i += take
        at = (at + take) % speech.length
      }
      return true
    },
    hear(pcm) {
      if (!record) return
      heard.set(pcm, filled)
      filled += pcm.length
      if (filled === heard.length) flush()
    },
    skip(frames) {
      // What was not heard is silence in the recording, so that time in it stays true.
      for (let i = 0; record && i < Math.min(frames, FRAMES_PER_EVENT); i++) {
        filled += FRAME_SAMPLES
        if (filled === heard.length) flush()
      }
      if (speech.length > 0) at = (at + frames * FRAME_SAMPLES) % speech.length
    },
    close: flush,
  }
}
