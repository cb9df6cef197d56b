/** What an existing Asterisk needs to work with us, as blocks for its configuration files. Pure text; `asterisk-files.ts` writes it. */
import type { AddressPort } from '../../net/address.ts'
import { showAddress } from '../../net/address.ts'
import { ADMITTED_VARIABLE, REFUSED_VARIABLE, SCRIPT, SECRET_VARIABLE } from './admission.ts'

export interface AsteriskPlan {
  readonly ami: { readonly user: string; readonly secret: string; readonly permit: readonly string[] }
  readonly agi: AddressPort
  /** Extensions that are conferences, as patterns of the dialplan: `_7XX`. */
  readonly conferences: readonly string[]
  readonly phones: readonly { readonly name: string; readonly password: string; readonly context: string }[]
}

/** The files of Asterisk that get a block; each has a `_custom` twin where FreePBX generates the rest. */
export const FILES = ['manager', 'extensions', 'confbridge', 'pjsip'] as const
export type AsteriskFile = (typeof FILES)[number]

export const CONTEXT = 'stc-conferences'
export const BRIDGE_PROFILE = 'stc_bridge'
export const USER_PROFILE = 'stc_user'
/** What our manager account must see and may do; the same list is what `stc doctor pbx` checks. */
export const READ_CLASSES = ['system', 'call'] as const
export const WRITE_CLASSES = ['system', 'call', 'reporting'] as const
/** Everything else would only cost both sides time. */
const EVENTS = ['Confbridge', 'MixMonitor', 'FullyBooted', 'Reload', 'Hangup', 'Rename']

export function asteriskBlocks(plan: AsteriskPlan): Record<AsteriskFile, string> {
  return { manager: manager(plan), extensions: extensions(plan), confbridge: CONFBRIDGE, pjsip: pjsip(plan) }
}

function manager({ ami }: AsteriskPlan): string {
  return [
    '; The manager interface must be on, and must not be open to strangers, in [general]:',
    ';   enabled = yes',
    ';   bindaddr = 127.0.0.1',
    `[${ami.user}]`,
    `secret = ${ami.secret}`,
    'deny = 0.0.0.0/0.0.0.0',
    'deny = ::/0',
    ...ami.permit.map((p) => `permit = ${p}`),
    `read = ${READ_CLASSES.join(',')}`,
    `write = ${WRITE_CLASSES.join(',')}`,
    ...EVENTS.map((e) => `eventfilter = Event: ${e}`),
    'writetimeout = 1000',
  ].join('\n')
}

function extensions({ agi, conferences }: AsteriskPlan): string {
  const token = `\${SHA1(\${GLOBAL(${SECRET_VARIABLE})}/\${UNIQUEID}/\${ARG1}/\${GLOBAL(${SECRET_VARIABLE})})}`
  return [
    '; Put "include => stc-conferences" into the context of whoever may dial conferences.',
    '; Keep emergency numbers out of it: they must not depend on anything here.',
    `[${CONTEXT}]`,
    ...conferences.map((c) => `exten => ${c},1,Gosub(stc-enter,s,1(\${EXTEN}))`),
    '',
    '; Nobody gets in unless the stc server says so: AGI goes on in silence when nobody answers, so what counts is',
    '; a variable that the server alone can compute. Without the server, nobody gets in.',
    '[stc-enter]',
    `exten => s,1,Set(${ADMITTED_VARIABLE}=)`,
    ` same => n,Set(${REFUSED_VARIABLE}=blind)`,
    ` same => n,AGI(agi://${showAddress(agi)}/${SCRIPT},\${ARG1})`,
    ` same => n,GotoIf($["\${GLOBAL(${SECRET_VARIABLE})}" = ""]?refused)`,
    ` same => n,GotoIf($["\${${ADMITTED_VARIABLE}}" != "${token}"]?refused)`,
    ` same => n,Set(${ADMITTED_VARIABLE}=)`,
    ' same => n,Answer()',
    ` same => n,ConfBridge(\${ARG1},${BRIDGE_PROFILE},${USER_PROFILE})`,
    ' same => n,Hangup()',
    ' same => n(refused),Answer()',
    ' same => n,Wait(0.5)',
    ` same => n,Playback(\${IF($["\${${REFUSED_VARIABLE}}" = "blind"]?im-sorry&please-try-call-later:privacy-unident)})`,
    ' same => n,Hangup(21)',
  ].join('\n')
}

const CONFBRIDGE = [
  `[${BRIDGE_PROFILE}]`,
  'type = bridge',
  '; G.722 is heard as it came.',
  'internal_sample_rate = 16000',
  'mixing_interval = 20',
  `[${USER_PROFILE}]`,
  'type = user',
  '; Who talks is shown to everybody.',
  'talk_detection_events = yes',
  'quiet = no',
  'announce_only_user = no',
  'dsp_drop_silence = no',
].join('\n')

function pjsip({ phones }: AsteriskPlan): string {
  const head = [
    '; Phones behind stc clients register like any other, by name and password, all from the address of the stc server:',
    '; they must be told apart by name. Where trunks are identified by address (type=identify), [global] needs',
    ';   endpoint_identifier_order = username,ip,anonymous',
  ]
  return [...head, ...phones.flatMap((p) => [
    `[${p.name}]`, 'type = endpoint', `context = ${p.context}`, 'disallow = all', 'allow = g722,ulaw,alaw', `auth = ${p.name}`, `aors = ${p.name}`, `callerid = <${p.name}>`,
    '; A muted phone must not be hung up on; the SIP dialog is watched instead.', 'rtp_timeout = 0', 'rtp_timeout_hold = 0', 'direct_media = no', 'rtp_symmetric = yes', 'timers = yes',
    `[${p.name}]`, 'type = auth', 'auth_type = digest', `username = ${p.name}`, `password = ${p.password}`,
    `[${p.name}]`, 'type = aor', 'max_contacts = 1', 'remove_existing = yes', 'qualify_frequency = 60',
  ])].join('\n')
}
