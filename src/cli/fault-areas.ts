/** The areas of fault codes, by what a code begins with. */
import type { FaultCode } from '../base/faults/index.ts'

export interface FaultArea {
  readonly name: string
  readonly further: string
}

const DOCTOR = '"stc doctor -c FILE"'
const AREAS: Readonly<Record<string, FaultArea>> = {
  ATTESTATION: { name: 'enclaves and their proofs', further: 'docs/protocol/attestation.md, and the member\'s details on the roster' },
  AUDIO: { name: 'sound and codecs', further: 'the page, "Phone and sound"' },
  BACKUP: { name: 'backups', further: 'docs/operations.md, backup' },
  CALL: { name: 'calls between two, sealed', further: 'docs/protocol/sealed-calls.md' },
  CHANNEL: { name: 'the connection between client and server', further: DOCTOR },
  CLIENT: { name: 'calls of this client', further: 'the call\'s history on the page, "stc logs", and "stc status"' },
  CONFIG: { name: 'configuration files', further: 'docs/operations.md lists every key' },
  CRYPTO: { name: 'cryptographic functions', further: 'the installation of Node' },
  FRAMESEAL: { name: 'voice frames of sealed calls', further: 'docs/protocol/sealed-calls.md' },
  HOP: { name: 'keys between client and server', further: 'docs/protocol/hop.md' },
  IDENTITY: { name: 'certificates and revocation', further: '"stc doctor pki -c FILE"; "stc identity show FILE"' },
  JOURNAL: { name: 'the journal of calls', further: 'docs/operations.md, the journal' },
  KEYAGREEMENT: { name: 'agreement on keys of sealed calls', further: 'docs/protocol/sealed-calls.md' },
  MEDIA: { name: 'media streams', further: 'the page, "Show figures"; "stc status"' },
  MLS: { name: 'the group and its keys', further: 'docs/protocol/groups.md, and the call\'s history' },
  NATIVE: { name: 'the fast media path', further: '"stc server status"' },
  NET: { name: 'the network of this machine', further: DOCTOR },
  PAGE: { name: 'the page in the browser', further: 'the address that stc prints at its start' },
  PBX: { name: 'the telephone system behind the server', further: '"stc doctor pbx -c FILE" at the server' },
  RELAY: { name: 'calls through the telephone system', further: '"stc trace"; docs/protocol/sip-tunnel.md' },
  RING: { name: 'calling people', further: 'docs/protocol/channel.md' },
  ROOM: { name: 'rooms, their members and rules', further: '"stc room show ROOM -c FILE"' },
  RTCP: { name: 'reports about voice packets', further: DOCTOR },
  RTP: { name: 'voice packets', further: DOCTOR },
  SDP: { name: 'what phones say of their sound', further: '"stc trace", and the account settings of the phone' },
  SETUP: { name: 'setting a client up', further: '"stc setup"' },
  SFRAME: { name: 'sealed voice frames', further: 'docs/protocol/frames.md' },
  SIP: { name: 'what phones signal', further: '"stc trace", and the account settings of the phone' },
  SRTP: { name: 'protected voice packets', further: 'docs/protocol/hop.md' },
  STORE: { name: 'files of the data folder', further: 'docs/operations.md, backup' },
  VAULT: { name: 'the process that holds the keys', further: '"stc vault show"' },
}
const OTHER: FaultArea = { name: 'other things', further: 'docs/operations.md' }

export const areaOf = (code: FaultCode): FaultArea => AREAS[code.slice(0, code.indexOf('_'))] ?? OTHER
export const hasArea = (code: FaultCode): boolean => areaOf(code) !== OTHER

const MOST_NEAR = 3

/** The codes that a mistyped one may have meant, the nearest first. */
export function nearest(typed: string, codes: readonly FaultCode[]): FaultCode[] {
  const allowed = Math.max(2, Math.floor(typed.length / 4))
  const far = codes.map((c) => ({ c, d: c.endsWith(`_${typed}`) ? 0 : distance(typed, c) })).filter(({ d }) => d <= allowed)
  return far.sort((a, b) => a.d - b.d).slice(0, MOST_NEAR).map(({ c }) => c)
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
