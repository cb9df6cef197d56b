/** Whose client stands behind a channel of Asterisk, asked of the channel itself. */
import { parseUri } from '../../protocol/sip/uri.ts'
import type { ClientLeg, ClientLegs, LegQuestion } from './legs.ts'

/** Reads a variable or function of the channel; undefined where there is none. */
export type ReadVariable = (name: string) => Promise<string | undefined>

/** What the channel itself says of where its dialog leads to; undefined for one that is not of SIP, or gone. */
export async function questionOf(channel: string, read: ReadVariable): Promise<LegQuestion | undefined> {
  if (!channel.startsWith('PJSIP/')) return undefined
  const callId = await read('CHANNEL(pjsip,call-id)')
  const target = await read('CHANNEL(pjsip,target_uri)')
  const remote = await read('CHANNEL(pjsip,remote_addr)')
  if (callId === undefined || target === undefined || remote === undefined) return undefined
  const uri = parseUri(target)
  const contact = uri.ok && uri.value.kind === 'sip' ? uri.value : undefined
  return { callId, contactUser: contact?.user ?? '', contactAt: contact === undefined ? '' : `${contact.host}:${contact.port ?? 5060}`, remote }
}

/** Names and caller ids prove nothing: only the relay's own token, in a dialog that goes to the relay, does. */
export async function identify(legs: ClientLegs, channel: string, read: ReadVariable): Promise<ClientLeg | undefined> {
  const question = await questionOf(channel, read)
  return question === undefined ? undefined : legs.find(question)
}
