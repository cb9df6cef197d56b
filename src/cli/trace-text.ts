/** A trace of SIP as lines for people: who said what to whom, one call after the other. */
import { showAddress } from '../net/address.ts'
import type { TracedMessage } from '../telephony/trace.ts'

/** `full`: whole messages under each line. */
export function ladder(messages: readonly TracedMessage[], full: boolean): string[] {
  const calls = [...new Set(messages.map((m) => m.callId))]
  return calls.flatMap((id) => {
    const of = messages.filter((m) => m.callId === id)
    return [`${id === '' ? 'without a Call-ID' : id}  (${of.length} message${of.length === 1 ? '' : 's'}, ${of[0]!.transport} ${showAddress(of[0]!.remote)})`, ...of.flatMap((m) => [arrow(m), ...(full ? m.text.split('\n').map((l) => `      ${l}`) : [])]), '']
  })
}

const arrow = (m: TracedMessage): string => `  ${new Date(m.at).toISOString().slice(11, 23)}  ${m.direction === 'in' ? 'phone ──▶ stc' : 'phone ◀── stc'}  ${m.start.replace(/ SIP\/2\.0$/, '')}${sdpNote(m.text)}`

/** What a description in it offers, in a few words. */
function sdpNote(text: string): string {
  const media = /^m=audio (\d+) (\S+)/m.exec(text)
  if (media === null) return ''
  const codecs = [...text.matchAll(/^a=rtpmap:\d+ ([^/\s]+)/gm)].map((m) => m[1])
  return `   (audio port ${media[1]}, ${media[2]}${codecs.length === 0 ? '' : `: ${codecs.slice(0, 6).join(' ')}`})`
}
