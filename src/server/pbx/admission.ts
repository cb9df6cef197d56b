/**
 * Whom Asterisk lets into a conference. It asks over FastAGI and goes on by itself when nobody answers, so the dialplan
 * demands a variable that only we can set (docs/protocol/pbx.md):
 *
 *     STC_ADMITTED = hex SHA-1 (secret / uniqueid / conference / secret)
 *
 * The secret is new with every start and reaches Asterisk over AMI. An answer is good for one call to one conference, so
 * whoever asks at our port, or answers at it in our place, gains nothing.
 */
import { toHex, utf8 } from '../../base/bytes.ts'
import type { Fault, Result } from '../../base/result.ts'
import { makeFault } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { matchesEntry } from '../../model/admit.ts'
import type { Identity } from '../../model/identity.ts'
import type { ConferenceConfig } from './config.ts'
import type { AgiCall } from './agi-door.ts'
import { identify } from './identify.ts'
import type { ClientLeg, ClientLegs } from './legs.ts'
import { CONFERENCE_NAME } from './presence.ts'

export type { AgiCall } from './agi-door.ts'

/** What the dialplan of `stc server asterisk-config` asks for. */
export const SCRIPT = 'stc-admit'
export const SECRET_VARIABLE = 'STC_SECRET'
export const ADMITTED_VARIABLE = 'STC_ADMITTED'
/** Why not: a word that the dialplan chooses the announcement by. */
export const REFUSED_VARIABLE = 'STC_REFUSED'

const REASONS = { PBX_CERTIFICATE_NEEDED: 'certificate', PBX_NOT_LISTED: 'unlisted', PBX_BLIND: 'blind' } as const
type Refusal = keyof typeof REASONS

export function admissionToken(crypto: Pick<CryptoPort, 'hash'>, secret: string, uniqueId: string, conference: string): string {
  return toHex(crypto.hash('sha1', utf8(`${secret}/${uniqueId}/${conference}/${secret}`)))
}

/** `identity`: of the client at the other end, or undefined for a plain phone. */
export function mayEnter(rules: ConferenceConfig, identity: Identity | undefined, seeing: boolean): Fault | undefined {
  if (!seeing) return makeFault('PBX_BLIND')
  if (rules.certificates === 'welcome') return undefined
  if (identity === undefined) return makeFault('PBX_CERTIFICATE_NEEDED')
  const { admit, hosts } = rules
  return admit === undefined || [...admit, ...hosts].some((e) => matchesEntry(e, identity)) ? undefined : makeFault('PBX_NOT_LISTED')
}

/** Conference that is asked for, or undefined when the question is none of ours. */
export function conferenceAsked(call: AgiCall): string | undefined {
  const name = call.request.arguments[0]
  return call.request.script === SCRIPT && name !== undefined && CONFERENCE_NAME.test(name) ? name : undefined
}

/** The client whose phone asks; undefined: a plain phone. */
export const whose = (call: AgiCall, legs: ClientLegs): Promise<ClientLeg | undefined> => identify(legs, call.request.channel, async (name) => {
  const r = await call.ask('GET VARIABLE', name)
  return r.ok && r.value.result === '1' ? r.value.data : undefined
})

export const tellAdmitted = (call: AgiCall, token: string): Promise<Result<unknown>> => call.ask('SET VARIABLE', ADMITTED_VARIABLE, token)

export const tellRefused = (call: AgiCall, fault: Fault): Promise<Result<unknown>> =>
  call.ask('SET VARIABLE', REFUSED_VARIABLE, Object.hasOwn(REASONS, fault.code) ? REASONS[fault.code as Refusal] : 'other')
