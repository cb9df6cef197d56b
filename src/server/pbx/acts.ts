/** What hosts do in a conference, and everybody to their own presence: asked of Asterisk. */
import { err, type Result } from '../../base/result.ts'
import type { AmiField } from '../../protocol/asterisk/index.ts'
import type { ClientWire } from '../../protocol/wire/messages.ts'
import type { Session } from '../session.ts'
import { isHost } from './config.ts'
import type { CouplingOptions } from './coupling-options.ts'
import type { Picture } from './picture.ts'

export type PbxActMessage = ClientWire['pbx-act']

const ACTIONS = { mute: 'ConfbridgeMute', unmute: 'ConfbridgeUnmute', kick: 'ConfbridgeKick', lock: 'ConfbridgeLock', unlock: 'ConfbridgeUnlock' } as const

/** `changed`: something is known at once that no event of Asterisk tells. */
export async function carryOut(o: Pick<CouplingOptions, 'config' | 'action' | 'log'>, picture: Picture, changed: (conference: string) => void, session: Session, m: PbxActMessage): Promise<Result<unknown>> {
  const mine = picture.of(session.id).find((p) => p.conference.name === m.conference)
  if (mine === undefined) return err('PBX_NO_CONFERENCE', m.conference)
  const host = isHost(o.config, m.conference, session.peer.identity)
  const fields: AmiField[] = [['Conference', m.conference]]
  if (m.act !== 'lock' && m.act !== 'unlock') {
    const member = [...mine.conference.members.values()].find((x) => x.id === m.member)
    if (member === undefined) return err('PBX_NO_MEMBER')
    if (member.leg?.session !== session.id && !host) return err('PBX_NOT_HOST')
    fields.push(['Channel', member.channel])
  } else if (!host) return err('PBX_NOT_HOST')
  const done = await o.action(ACTIONS[m.act], ...fields)
  o.log.info({ conference: m.conference, act: m.act, key: session.keyId.slice(0, 16), ...(done.ok ? {} : { code: done.fault.code }) }, 'a host acts')
  if (done.ok && (m.act === 'lock' || m.act === 'unlock')) {
    mine.conference.locked = m.act === 'lock'
    changed(m.conference)
  }
  return done
}
