/** What the phone of a call is told the moment that the call stands, where the call is weaker than *sealed* and no roster speaks for it. */
import type { MediaCommand, SpokenFormat } from '../../media/api.ts'
import { hasPlainLeg } from '../../model/privacy.ts'
import { type CallState, emptyRoster, type Roster } from '../../model/roster.ts'
import type { DescribedAudio } from '../../telephony/relay/index.ts'
import { callSpoken, labelSpoken, type Speak } from './spoken.ts'

const CODECS: readonly SpokenFormat['codec'][] = ['g722', 'opus', 'pcmu', 'pcma']
const CLOCK_HZ = { g722: 8000, opus: 48_000, pcmu: 8000, pcma: 8000 } as const

/** `call`: the leg of the phone; both descriptions of the call; whether it still stands, once the words are there. */
export type Announce = (call: number, phone: DescribedAudio, other: DescribedAudio, stands: () => boolean) => void

/** The words are made once, beforehand: a call does not wait for them. `kind`: what all these calls are. */
export function announcer(voice: Speak | undefined, kind: Extract<Roster['kind'], 'bridged' | 'open'>, media: (c: MediaCommand) => void): Announce | undefined {
  const label = labelSpoken(emptyRoster('', kind))
  if (voice === undefined || label === undefined) return undefined
  const ready = voice(label)
  return (call, phone, other, stands) => {
    const formats = formatsOf(phone, other)
    const telephoneEvents = other.formats.filter((f) => f.name === 'telephone-event').map((f) => f.payloadType)
    if (formats.length > 0) void ready.then((pcm) => pcm !== undefined && stands() && media({ op: 'call.say', call, formats, telephoneEvents, pcm }))
  }
}

/** What both have and we can speak, in the phone's order (RFC 3264 §6.1: each side names the types that it takes). */
function formatsOf(phone: DescribedAudio, other: DescribedAudio): SpokenFormat[] {
  return phone.formats.flatMap(({ name, clockHz, payloadType }) => {
    const codec = CODECS.find((c) => c === name && CLOCK_HZ[c] === clockHz)
    const theirs = other.formats.find((f) => f.name === name && f.clockHz === clockHz)
    return codec === undefined || theirs === undefined ? [] : [{ codec, takes: payloadType, sends: theirs.payloadType }]
  })
}

/** Says what a call through a provider has become, once for each time; the words of a state that has passed are not said any more. */
export function stateTeller(voice: Speak | undefined, play: (pcm: Int16Array) => void): (now: Pick<Roster, 'sealedCall' | 'phoneLeg' | 'members'>) => void {
  let last: CallState['state'] | 'plain-leg' | undefined
  return (now) => {
    const call = now.sealedCall
    if (call === undefined) return
    const plainLeg = call.state === 'sealed' && hasPlainLeg(now)
    const is = plainLeg ? 'plain-leg' : call.state
    const words = is === last ? undefined : callSpoken(call, plainLeg)
    last = is
    if (words !== undefined) void voice?.(words).then((pcm) => pcm !== undefined && last === is && play(pcm))
  }
}
