/** Session descriptions (RFC 8866) as plain data. Only what telephony uses is understood; the rest is checked for form and kept out. */
import type { Param } from '../sip/scanner.ts'

export interface Origin {
  readonly user: string
  /** Decimal digits; too large for a number in some phones. */
  readonly sessionId: string
  readonly version: string
  readonly address: string
}

/** An attribute; `a=x` has no value, `a=x:` an empty one. */
export type Attribute = Param

export interface SessionDescription {
  readonly origin: Origin
  /** Session level; applies to media without their own. */
  readonly connection?: string
  readonly attributes: readonly Attribute[]
  readonly media: readonly MediaDescription[]
}

export interface MediaDescription {
  /** audio, video, image, … */
  readonly kind: string
  /** 0: refused or not used. */
  readonly port: number
  /** RTP/AVP, RTP/SAVP, … */
  readonly protocol: string
  readonly formats: readonly string[]
  readonly connection?: string
  readonly attributes: readonly Attribute[]
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

export const attributeOf = (attributes: readonly Attribute[], name: string): string | undefined => {
  const found = attributes.find((a) => a.name === name)
  return found === undefined ? undefined : (found.value ?? '')
}
export const attributesOf = (attributes: readonly Attribute[], name: string): readonly string[] => attributes.filter((a) => a.name === name).map((a) => a.value ?? '')

/** As its sender says it: `sendonly` means that the sender only sends. Media level before session level (RFC 8866 §6.7). */
export function directionOf(session: SessionDescription, media: MediaDescription): Direction {
  const found = media.attributes.find((a) => directions.includes(a.name)) ?? session.attributes.find((a) => directions.includes(a.name))
  return (found?.name ?? 'sendrecv') as Direction
}

/** The other side's view (RFC 3264 §6.1). */
export const reverseDirection = (d: Direction): Direction => (d === 'sendonly' ? 'recvonly' : d === 'recvonly' ? 'sendonly' : d)

/** A payload format of an RTP stream. */
export interface RtpFormat {
  readonly payloadType: number
  /** Lower case: pcmu, g722, opus, telephone-event, … */
  readonly name: string
  readonly clockHz: number
  readonly channels: number
  readonly fmtp?: string
}

/** RFC 3551 table 4: what needs no rtpmap. */
const staticFormats: Readonly<Record<number, readonly [name: string, clockHz: number]>> = { 0: ['pcmu', 8000], 3: ['gsm', 8000], 8: ['pcma', 8000], 9: ['g722', 8000], 13: ['cn', 8000], 18: ['g729', 8000] }

/** The RTP formats of a stream in the order of preference of its sender; such that have no meaning are left out. */
export function rtpFormatsOf(media: MediaDescription): readonly RtpFormat[] {
  const maps = attributesOf(media.attributes, 'rtpmap')
  const fmtps = attributesOf(media.attributes, 'fmtp')
  return media.formats.flatMap((format) => {
    if (!/^[0-9]{1,3}$/.test(format) || Number(format) > 127) return []
    const payloadType = Number(format)
    const parts = /^([A-Za-z0-9!#$%&'*+.^_`{|}~-]+)\/([0-9]{1,6})(?:\/([0-9]{1,2}))?$/.exec(valueFor(maps, format) ?? '')
    const known = staticFormats[payloadType]
    const fmtp = valueFor(fmtps, format)
    const tail = fmtp === undefined ? {} : { fmtp }
    if (parts !== null) return [{ payloadType, name: parts[1]!.toLowerCase(), clockHz: Number(parts[2]), channels: Number(parts[3] ?? 1), ...tail }]
    return known === undefined ? [] : [{ payloadType, name: known[0], clockHz: known[1], channels: 1, ...tail }]
  })
}

const valueFor = (values: readonly string[], format: string): string | undefined => values.find((v) => v.startsWith(`${format} `))?.slice(format.length + 1).trim()
