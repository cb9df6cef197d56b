/** What may stand in a certificate that we issue. */
import { safeText } from '../model/identity.ts'

const NAME_LIMIT = 64 // ub-common-name, ub-organization-name (RFC 5280 §A.1)
const HOST_LIMIT = 253
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const MAIL = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9.-]{1,189}$/i
/** RFC 5922 §7.1: no port, no parameters. */
const SIP = /^sips?:[a-z0-9._~+-]{1,64}@[a-z0-9.-]{1,189}$/i

interface Wanted {
  readonly name: string
  readonly organisation?: string
  readonly emails?: readonly string[]
  readonly hosts?: readonly string[]
  readonly sips?: readonly string[]
}

/** Why this cannot be issued, or undefined. */
export function unusable({ name, organisation, emails = [], hosts = [], sips = [] }: Wanted): string | undefined {
  for (const [what, text] of [['name', name], ['organisation', organisation ?? 'x']] as const) {
    if (text.trim() === '' || [...text].length > NAME_LIMIT) return `a ${what} of 1 to ${NAME_LIMIT} characters is needed`
    if (safeText(text) !== text.normalize('NFC')) return `the ${what} has characters that are not shown, or more than one space in a row`
  }
  const badMail = emails.find((mail) => !MAIL.test(mail))
  if (badMail !== undefined) return `"${safeText(badMail)}" is not a mail address in ASCII`
  const badSip = sips.find((uri) => !SIP.test(uri))
  if (badSip !== undefined) return `"${safeText(badSip)}" is not a SIP address like sip:2001@pbx.example`
  const badHost = hosts.find((host) => ipOctets(host) === undefined && !isHost(host))
  return badHost === undefined ? undefined : `"${safeText(badHost)}" is neither a host name nor an IP address`
}

/** Digits and dots alone would be an address, and a wrong one. */
const isHost = (text: string): boolean => text.length <= HOST_LIMIT && HOST.test(text) && !/^[\d.]+$/.test(text)

/** 4 or 16 octets of an address in text; undefined for anything else. */
export function ipOctets(text: string): Uint8Array | undefined {
  return text.includes(':') ? ipv6Octets(text) : ipv4Octets(text)
}

function ipv4Octets(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  const valid = parts.length === 4 && parts.every((p) => /^(?:0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256)
  return valid ? Uint8Array.from(parts, Number) : undefined
}

function ipv6Octets(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const count = groups.reduce((sum, half) => sum + half.length, 0)
  const compressed = halves.length === 2
  if (halves.length > 2 || (compressed ? count > 7 : count !== 8)) return undefined
  const all = [...groups[0]!, ...Array<string>(8 - count).fill('0'), ...(groups[1] ?? [])]
  if (!all.every((g) => /^[0-9a-f]{1,4}$/i.test(g))) return undefined
  return Uint8Array.from(all.flatMap((g) => [Number.parseInt(g, 16) >>> 8, Number.parseInt(g, 16) & 0xff]))
}
