/** Signals to the listener, 16 kHz PCM: short, soft, and each recognisable by its shape alone. */
import { SAMPLE_RATE } from './codec.ts'
import { joinPcm } from './join-pcm.ts'

export type ToneName = 'join' | 'leave' | 'mute' | 'unmute' | 'attention' | 'sealed' | 'lost'

interface Note {
  /** 0 is a pause. */
  readonly hz: number
  readonly ms: number
}

const notes: Readonly<Record<ToneName, readonly Note[]>> = {
  join: [{ hz: 523, ms: 90 }, { hz: 784, ms: 140 }],
  leave: [{ hz: 784, ms: 90 }, { hz: 523, ms: 140 }],
  mute: [{ hz: 440, ms: 60 }, { hz: 0, ms: 40 }, { hz: 440, ms: 60 }],
  unmute: [{ hz: 660, ms: 120 }],
  // Rising: only the two hear it. Falling: it is not so any more.
  sealed: [{ hz: 523, ms: 90 }, { hz: 659, ms: 90 }, { hz: 1047, ms: 200 }],
  lost: [{ hz: 784, ms: 150 }, { hz: 392, ms: 300 }, { hz: 0, ms: 80 }, { hz: 392, ms: 300 }],
  attention: [{ hz: 880, ms: 120 }, { hz: 0, ms: 60 }, { hz: 880, ms: 120 }, { hz: 0, ms: 60 }, { hz: 880, ms: 120 }],
}

const AMPLITUDE = 4000
/** Rise and fall, so that nothing clicks. */
const EDGE_MS = 8

/** A sine of one frequency with soft edges. */
export function sine(hz: number, ms: number, amplitude = AMPLITUDE): Int16Array {
  const length = Math.round((ms * SAMPLE_RATE) / 1000)
  const edge = (EDGE_MS * SAMPLE_RATE) / 1000
  return Int16Array.from({ length }, (_, i) => {
    const gain = Math.min(1, i / edge, (length - 1 - i) / edge)
    return Math.round(amplitude * gain * Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE))
  })
}

export function signalTone(name: ToneName): Int16Array {
  return joinPcm(notes[name].map(({ hz, ms }) => sine(hz, ms)))
}
