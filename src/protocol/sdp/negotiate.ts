/** Offers and answers for one audio stream (RFC 3264): one codec, telephone-event at its clock, one way of keying. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { isIpv4, isIpv6 } from '../sip/scanner.ts'
import type { SdesKey } from './sdes.ts'
import { sdesKeysOf, sdesSuites, sdesValue } from './sdes.ts'
import type { Attribute, Direction, MediaDescription, RtpFormat, SessionDescription } from './session.ts'
import { attributeOf, directionOf, reverseDirection, rtpFormatsOf } from './session.ts'

export type CodecName = 'g722' | 'opus' | 'pcmu' | 'pcma'

export interface AudioPolicy {
  /** Most wanted first. */
  readonly codecs: readonly CodecName[]
  readonly srtp: 'off' | 'offered' | 'required'
  /** SDES keys are worth something only where the signalling is encrypted or stays on this machine (RFC 4568 §7). */
  readonly keysAreSafe: boolean
}

/** What was agreed on, as the peer's description says it. */
export interface AudioChoice {
  /** Which m= line. */
  readonly index: number
  readonly codec: CodecName
  readonly payloadType: number
  readonly telephoneEvent?: number
  readonly ptimeMs: number
  readonly remote: { readonly address: string; readonly port: number }
  /** As the peer says it. */
  readonly direction: Direction
  /** `c=0.0.0.0`, the hold of RFC 2543: nothing can be sent there. */
  readonly nowhere: boolean
  readonly sdes?: SdesKey
}

/** The phone sends nothing that may be heard: on hold, listening only, or nowhere. */
export const isHeld = (c: AudioChoice): boolean => c.nowhere || c.direction !== 'sendrecv'
/** The other side sends nothing, or wants nothing heard of what it sends. Who sends only has music or an announcement for us. */
export const isSilent = (c: AudioChoice): boolean => c.nowhere || c.direction === 'recvonly' || c.direction === 'inactive'
/** We may send to the phone. */
export const maySend = (c: AudioChoice): boolean => !c.nowhere && (c.direction === 'sendrecv' || c.direction === 'recvonly')

/** RTP clock and channels as rtpmap says them; G.722 says 8000 for historical reasons (RFC 3551 §4.5.2). */
const codecForms: Readonly<Record<CodecName, { readonly label: string; readonly clockHz: number; readonly channels: number; readonly staticType: number }>> = {
  g722: { label: 'G722/8000', clockHz: 8000, channels: 1, staticType: 9 },
  opus: { label: 'opus/48000/2', clockHz: 48000, channels: 2, staticType: 96 },
  pcmu: { label: 'PCMU/8000', clockHz: 8000, channels: 1, staticType: 0 },
  pcma: { label: 'PCMA/8000', clockHz: 8000, channels: 1, staticType: 8 },
}
/** We send and take mono, whatever rtpmap has to say (RFC 7587 §7). */
const opusFmtp = 'stereo=0;sprop-stereo=0'

const isCodec = (f: RtpFormat, codec: CodecName): boolean => f.name === codec && f.clockHz === codecForms[codec].clockHz && f.channels === codecForms[codec].channels

/** Picks from the peer's offer (or answer) what is used. `keep`: the codec of the running call, preferred if it is still offered. */
export function chooseAudio(session: SessionDescription, policy: AudioPolicy, keep?: CodecName): Result<AudioChoice> {
  const preferred = keep === undefined ? policy.codecs : [keep, ...policy.codecs]
  const usable = session.media.flatMap((media, index) => (media.kind === 'audio' && media.port !== 0 ? [chooseFrom(session, media, index, policy, preferred)] : []))
  const good = usable.flatMap((r) => (r.ok ? [r.value] : []))
  const best = (policy.srtp === 'off' ? undefined : good.find((c) => c.sdes !== undefined)) ?? good[0]
  return best === undefined ? (usable[0] ?? err('SDP_NO_AUDIO')) : ok(best)
}

function chooseFrom(session: SessionDescription, media: MediaDescription, index: number, policy: AudioPolicy, preferred: readonly CodecName[]): Result<AudioChoice> {
  const keying = chooseKeying(media, policy)
  if (!keying.ok) return keying
  const formats = rtpFormatsOf(media)
  const codec = preferred.find((c) => formats.some((f) => isCodec(f, c)))
  const format = codec === undefined ? undefined : formats.find((f) => isCodec(f, codec))
  if (codec === undefined || format === undefined) return err('SDP_NO_AUDIO', 'no common codec')
  const address = media.connection ?? session.connection ?? ''
  if (!isIpv4(address) && !isIpv6(address)) return err('SDP_NO_AUDIO', 'the address of the stream is a name')
  if (isGroup(address)) return err('SDP_NO_AUDIO', 'the address of the stream is multicast or broadcast')
  const event = formats.find((f) => f.name === 'telephone-event' && f.clockHz === format.clockHz)
  return ok({
    index,
    codec,
    payloadType: format.payloadType,
    ...(event === undefined ? {} : { telephoneEvent: event.payloadType }),
    ptimeMs: ptimeOf(media, codec),
    remote: { address, port: media.port },
    direction: directionOf(session, media),
    nowhere: /^(?:0\.0\.0\.0|[0:]+)$/.test(address),
    ...(keying.value === undefined ? {} : { sdes: keying.value }),
  })
}

/** We never send to many at once: 224.0.0.0/3 (multicast, reserved, broadcast) and ff00::/8. */
const isGroup = (address: string): boolean => (address.includes(':') ? /^ff/i.test(address) : Number(address.split('.')[0]) >= 224)

/** The key that the peer sends with; undefined for plain RTP. RTP/AVP with keys is best-effort SRTP, as phones do it. */
function chooseKeying(media: MediaDescription, policy: AudioPolicy): Result<SdesKey | undefined> {
  const secure = /^RTP\/SAVPF?$/.test(media.protocol)
  if (!secure && !/^RTP\/AVPF?$/.test(media.protocol)) return err('SDP_NO_AUDIO', media.protocol.slice(0, 40))
  const keys = policy.srtp === 'off' || !policy.keysAreSafe ? [] : sdesKeysOf(media)
  const key = sdesSuites.flatMap((suite) => keys.filter((k) => k.suite === suite))[0]
  if (key !== undefined) return ok(key)
  if (secure) return err('SDP_SRTP_REFUSED', policy.srtp === 'off' ? 'the policy is off' : policy.keysAreSafe ? 'no usable key' : 'the signalling is not encrypted')
  return policy.srtp === 'required' ? err('SDP_SRTP_REQUIRED') : ok(undefined)
}

/** What the peer asks for, 10–60 ms in whole frames of 10 ms; Opus has no frame of 30 or 50 ms (RFC 6716 §2). */
function ptimeOf(media: MediaDescription, codec: CodecName): number {
  const numberOf = (name: string): number | undefined => {
    const value = attributeOf(media.attributes, name) ?? ''
    return /^[0-9]{1,4}$/.test(value) ? Number(value) : undefined
  }
  const wanted = Math.min(numberOf('ptime') ?? 20, numberOf('maxptime') ?? 60)
  const whole = Math.floor(wanted / 10) * 10
  if (whole < 10 || whole > 60 || (codec === 'opus' && whole % 20 !== 0 && whole !== 10)) return 20
  return whole
}

/** Our end of the stream. */
export interface LocalAudio {
  readonly address: string
  readonly port: number
  /** One for the call, and a version that rises with every change (RFC 3264 §8). */
  readonly sessionId: string
  readonly version: number
  /** The key that we send with, when the stream is SRTP. */
  readonly sdes?: SdesKey
  /** We hold the call: nothing is taken of the other side (RFC 3264 §8.4). */
  readonly held?: true
}

/** The answer: the chosen stream, every other one refused with port 0 (RFC 3264 §6). */
export function buildAnswer(offer: SessionDescription, choice: AudioChoice, local: LocalAudio): SessionDescription {
  return {
    ...headOf(local),
    media: offer.media.map((m, i) => (i === choice.index ? answerStream(m, choice, local) : { kind: m.kind, port: 0, protocol: m.protocol, formats: m.formats, attributes: [] })),
  }
}

function answerStream(offered: MediaDescription, choice: AudioChoice, local: LocalAudio): MediaDescription {
  const direction = withheld(choice.nowhere && choice.direction === 'sendrecv' ? 'recvonly' : reverseDirection(choice.direction), local)
  const events = choice.telephoneEvent
  return {
    kind: 'audio',
    port: local.port,
    protocol: offered.protocol,
    formats: [String(choice.payloadType), ...(events === undefined ? [] : [String(events)])],
    attributes: [
      ...codecAttributes(choice.codec, choice.payloadType),
      ...(events === undefined ? [] : eventAttributes(events, codecForms[choice.codec].clockHz)),
      { name: 'ptime', value: String(choice.ptimeMs) },
      ...keyAttributes(local),
      { name: direction },
    ],
  }
}

/** What is left of a direction while we hold. */
const withheld = (d: Direction, local: LocalAudio): Direction => (local.held !== true ? d : d === 'sendrecv' ? 'sendonly' : d === 'recvonly' ? 'inactive' : d)

/** An offer of ours: all codecs of the policy, 20 ms. With a key it is SRTP. */
export function buildOffer(policy: AudioPolicy, local: LocalAudio): SessionDescription {
  const clocks = [...new Set(policy.codecs.map((c) => codecForms[c].clockHz))]
  const eventType = (clockHz: number): number => (clockHz === 8000 ? 101 : 97)
  return {
    ...headOf(local),
    media: [{
      kind: 'audio',
      port: local.port,
      protocol: local.sdes === undefined ? 'RTP/AVP' : 'RTP/SAVP',
      formats: [...policy.codecs.map((c) => codecForms[c].staticType), ...clocks.map(eventType)].map(String),
      attributes: [
        ...policy.codecs.flatMap((c) => codecAttributes(c, codecForms[c].staticType)),
        ...clocks.flatMap((hz) => eventAttributes(eventType(hz), hz)),
        { name: 'ptime', value: '20' },
        ...keyAttributes(local),
        { name: withheld('sendrecv', local) },
      ],
    }],
  }
}

/** Reads the answer to an offer of ours: the answerer's first codec counts (RFC 3264 §7). */
export function acceptAnswer(answer: SessionDescription, policy: AudioPolicy, ours: SdesKey | undefined): Result<AudioChoice> {
  const stream = answer.media[0]
  const first = stream === undefined ? undefined : rtpFormatsOf(stream).flatMap((f) => policy.codecs.filter((c) => isCodec(f, c)))[0]
  if (first === undefined) return err('SDP_NO_AUDIO', 'in an answer')
  const choice = chooseAudio(answer, { ...policy, codecs: [first] })
  if (!choice.ok) return choice
  // RFC 4568 §5.1.3: the answer names the tag and the suite of what we offered.
  const key = choice.value.sdes
  if (key?.tag !== ours?.tag || key?.suite !== ours?.suite) return err('SDP_SRTP_REFUSED', 'the answer has another key than was offered')
  return choice
}

const headOf = (local: LocalAudio): Omit<SessionDescription, 'media'> => ({
  origin: { user: '-', sessionId: local.sessionId, version: String(local.version), address: local.address },
  connection: local.address,
  attributes: [],
})

function codecAttributes(codec: CodecName, payloadType: number): readonly Attribute[] {
  const map = { name: 'rtpmap', value: `${payloadType} ${codecForms[codec].label}` }
  return codec === 'opus' ? [map, { name: 'fmtp', value: `${payloadType} ${opusFmtp}` }] : [map]
}

/** Events 0–15: the sixteen keys (RFC 4733 §3.2). */
const eventAttributes = (payloadType: number, clockHz: number): readonly Attribute[] => [
  { name: 'rtpmap', value: `${payloadType} telephone-event/${clockHz}` },
  { name: 'fmtp', value: `${payloadType} 0-15` },
]

const keyAttributes = (local: LocalAudio): readonly Attribute[] => (local.sdes === undefined ? [] : [{ name: 'crypto', value: sdesValue(local.sdes) }])
