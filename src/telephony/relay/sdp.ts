/**
 * Session descriptions on their way through the relay: one audio stream is kept and pointed at us, every other one is
 * refused (port 0), and whatever would let media find another way is taken out. All the rest stays as its sender wrote
 * it: codecs, parameters, order, direction.
 */
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { isIpv4, isIpv6 } from '../../protocol/sip/scanner.ts'
import type { MediaDescription, RtpFormat, SessionDescription } from '../../protocol/sdp/index.ts'
import { attributeOf, directionOf, parseSdp, rtpFormatsOf, sdesKeysOf } from '../../protocol/sdp/index.ts'
import { isUnspecified } from '../local-address.ts'
import type { AgreedKeys, KeysIn, KeysOut } from './keying.ts'

/** Where the sender of a description wants its RTP, and what it can take. */
export interface DescribedAudio {
  readonly address: string
  readonly port: number
  readonly rtcpPort: number
  /** The sender wants packets: it is not `sendonly` or `inactive`, and names an address. */
  readonly receives: boolean
  /** The sender means to send packets. */
  readonly sends: boolean
  /** Most wanted first. */
  readonly formats: readonly RtpFormat[]
  readonly ptimeMs: number | undefined
  /** SRTP as agreed with the sender; undefined: plain RTP. */
  readonly srtp?: AgreedKeys
}

/** As it stands in a description. */
export interface ReadAudio extends DescribedAudio {
  readonly offeredKeys: KeysIn
}

/** What crosses between the halves instead of an address. */
export const nowhere = { address: '127.0.0.1', port: 9 } as const

/**
 * The stream that is relayed: the first audio stream in use. Undefined: none is in use (an answer that refuses it).
 * Faults: malformed, no relayable audio in what is in use (a fax, T.38), SRTP where it is not `keyed`.
 */
export function readDescription(body: Uint8Array, keyed = false): Result<ReadAudio | undefined> {
  const parsed = parseSdp(body)
  if (!parsed.ok) return parsed
  const used = parsed.value.media.filter((m) => m.port !== 0)
  const stream = used.find((m) => isRelayed(m, keyed))
  if (stream === undefined) return used.length === 0 ? ok(undefined) : used.some((m) => m.kind === 'image') ? err('RELAY_FAX') : used.some((m) => /SAVP/.test(m.protocol)) ? err('RELAY_SRTP') : err('SDP_NO_AUDIO', used[0]!.kind.slice(0, 20))
  return describe(parsed.value, stream)
}

const isRelayed = (m: MediaDescription, keyed: boolean): boolean => m.kind === 'audio' && (keyed ? /^RTP\/S?AVPF?$/ : /^RTP\/AVPF?$/).test(m.protocol)

function describe(session: SessionDescription, stream: MediaDescription): Result<ReadAudio> {
  const address = stream.connection ?? session.connection ?? ''
  if (!isIpv4(address) && !isIpv6(address)) return err('SDP_NO_AUDIO', 'the address of the stream is a name')
  if (isGroup(address)) return err('SDP_NO_AUDIO', 'the address of the stream is multicast or broadcast')
  const direction = directionOf(session, stream)
  const rtcp = /^([0-9]{1,5})(?: IN IP[46] (\S+))?$/.exec(attributeOf(stream.attributes, 'rtcp') ?? '')
  const ptime = /^[0-9]{1,3}$/.exec(attributeOf(stream.attributes, 'ptime') ?? '')
  const open = !isUnspecified(address)
  return ok({
    address, port: stream.port,
    // RFC 3605; an RTCP address of its own would be a second target.
    rtcpPort: rtcp !== null && (rtcp[2] === undefined || rtcp[2] === address) && Number(rtcp[1]) > 0 && Number(rtcp[1]) < 65536 ? Number(rtcp[1]) : stream.port + 1,
    receives: open && (direction === 'sendrecv' || direction === 'recvonly'),
    sends: direction === 'sendrecv' || direction === 'sendonly',
    formats: rtpFormatsOf(stream),
    ptimeMs: ptime === null ? undefined : Number(ptime[0]),
    offeredKeys: { keys: sdesKeysOf(stream), secure: stream.protocol.startsWith('RTP/SAVP') },
  })
}

const isGroup = (address: string): boolean => (address.includes(':') ? /^ff/i.test(address) : Number(address.split('.')[0]) >= 224)

/** ICE, multiplexing, keys and sources: they hold on one hop only, or lead around us. */
const takenOut = new Set([
  'candidate', 'remote-candidates', 'end-of-candidates', 'ice-ufrag', 'ice-pwd', 'ice-options', 'ice-lite', 'ice-mismatch', 'ice2',
  'rtcp', 'rtcp-mux', 'rtcp-mux-only', 'rtcp-rsize', 'crypto', 'fingerprint', 'setup', 'connection', 'tls-id', 'zrtp-hash', 'key-mgmt',
  'ssrc', 'ssrc-group', 'group', 'bundle-only', 'alt', 'altc', 'source-filter', 'sendmux',
])

/** The same description with our address and port. The body was read by `readDescription` before, `keyed` or not; `keys` are put into it. */
export function pointAt(body: Uint8Array, at: { readonly address: string; readonly port: number }, o: { readonly keyed?: boolean; readonly keys?: KeysOut } = {}): Uint8Array {
  const lines = (fromUtf8(body) ?? '').split(/\r?\n/).filter((l) => l !== '')
  const family = at.address.includes(':') ? 'IN IP6' : 'IN IP4'
  const { keys, keyed = false } = o
  const relayable = keyed ? / RTP\/S?AVPF? / : / RTP\/AVPF? /
  let done = false
  let owed: string[] = []
  const stream = (line: string): string[] => {
    const relayed = !done && /^m=audio (?!0[ /])[0-9]+(?:\/1)? RTP\//.test(line) && relayable.test(line)
    done ||= relayed
    if (relayed) owed = (keys?.attributes ?? []).map((value) => `a=crypto:${value}`)
    const pointed = line.replace(/^(m=\S+) [0-9]+(?:\/[0-9]+)?/, `$1 ${relayed ? at.port : 0}`)
    return [relayed ? pointed.replace(/ RTP\/S?AVP/, keys?.secure === true ? ' RTP/SAVP' : ' RTP/AVP') : pointed]
  }
  const out = [...lines, ''].flatMap((line): string[] => {
    // Attributes come last in a stream's section.
    if (line === '' || line.startsWith('m=')) return [...owed.splice(0), ...(line === '' ? [] : stream(line))]
    if (line.startsWith('o=')) return [line.replace(/ IN IP[46] \S+$/, ` ${family} ${at.address}`)]
    // A hold by address stays one.
    if (line.startsWith('c=')) return [isUnspecified(line.split(' ').at(-1)!) ? line : `c=${family} ${at.address}`]
    if (line.startsWith('a=')) return takenOut.has(line.slice(2).split(':')[0]!) ? [] : [line]
    return [line]
  })
  return utf8(`${out.join('\r\n')}\r\n`)
}
