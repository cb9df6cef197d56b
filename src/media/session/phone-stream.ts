/** A browser's sound: PCM over a port, re-clocked like a phone's RTP because it comes irregularly and by the browser's clock. */
import { Reclock } from '../../audio/reclock.ts'
import type { StreamMedia } from '../api.ts'
import type { ListeningPort } from '../packet-path.ts'
import type { PhoneLeg } from './phone.ts'

/** 120 ms of 16 kHz PCM: no browser sends more at once, and the re-clocking has room for it. */
const LONGEST = 1920

export function streamPhone(media: StreamMedia, nowMs: () => number): PhoneLeg {
  const reclock = new Reclock()
  const port = media.port as ListeningPort
  port.on('message', (m) => {
    // Whatever else comes is not sound and changes nothing.
    if (m instanceof Int16Array && m.length > 0 && m.length <= LONGEST) reclock.push(m, 0, nowMs())
  })
  return {
    local: { address: '', port: 0 },
    set: (next) => next.kind === 'stream' && next.port === media.port,
    speak: (out, now) => reclock.pull(out, now),
    hear: (pcm) => port.postMessage(pcm.slice()),
    // The browser's own buffer bridges what was skipped.
    skip: () => {},
    close: () => port.close(),
  }
}
