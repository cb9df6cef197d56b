/** What the authority's desks have in common: their surroundings, and how they answer. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import type { Authority } from '../authority.ts'
import type { AuthoritySettings } from '../ca-files.ts'
import { tagOf } from './link.ts'
import { type EnrolReply, issuedMessage, PURPOSE } from './messages.ts'

export interface DeskOptions {
  readonly ca: Authority
  readonly root: Der
  readonly dir: string
  readonly settings: AuthoritySettings
  readonly now: () => UnixTime
  /** Something happened that whoever runs the authority wants to see. */
  readonly note?: (text: string) => void
}

export const refuse = (fault: Fault): EnrolReply => ({ status: 'refused', code: fault.code, message: fault.message })
export const no = (...args: Parameters<typeof makeFault>): EnrolReply => refuse(makeFault(...args))

/** The certificate, and what a new member's configuration needs. */
export function issuedReply(ca: Authority, { root, settings: { server, serverPort, realm, journal } }: Pick<DeskOptions, 'root' | 'settings'>, name: string, chain: readonly Der[], replyKey: Uint8Array): EnrolReply {
  const settings = { ...(server === undefined ? {} : { server }), ...(serverPort === undefined ? {} : { serverPort }), ...(realm === undefined ? {} : { realm }), ...(journal === undefined ? {} : { journal }) }
  const content = { name, chain, root, settings }
  return { status: 'issued', ...content, tag: tagOf(ca.crypto, replyKey, PURPOSE.reply, issuedMessage(content)) }
}
