/** What a running Asterisk should be told about itself: findings in plain words from what its CLI prints. Pure. */
import { ADMITTED_VARIABLE, SCRIPT, SECRET_VARIABLE } from './admission.ts'
import { READ_CLASSES, USER_PROFILE, WRITE_CLASSES } from './asterisk-config.ts'

export interface Finding {
  /** `wrong`: does not work, or lets in whom it should not. `risky`: works, until something happens. */
  readonly level: 'good' | 'wrong' | 'risky' | 'unknown'
  readonly text: string
  readonly todo?: string
}

/** What each CLI command printed; undefined: it could not be asked. */
export type Rx = (command: string) => Promise<string | undefined>

export interface ExamineOptions {
  readonly rx: Rx
  readonly amiUser: string
  /** Addresses that Asterisk sees the stc server come from. */
  readonly server: readonly string[]
  /** Texts of fail2ban's configuration, as far as they can be read. */
  readonly fail2ban: readonly string[]
  /** The way to it, of the server's configuration. */
  readonly sip?: SipWay
}

export interface SipWay {
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** `sip.host` where it is no address of this machine. */
  readonly far?: string
}

const good = (text: string): Finding => ({ level: 'good', text })
const wrong = (text: string, todo: string): Finding => ({ level: 'wrong', text, todo })
const risky = (text: string, todo: string): Finding => ({ level: 'risky', text, todo })
const unknown = (text: string): Finding => ({ level: 'unknown', text })

const OLDEST = 18
const MODULES = ['app_confbridge', 'res_agi', 'func_sha1', 'app_mixmonitor', 'res_pjsip', 'codec_g722'] as const
const ENDPOINTS_LIMIT = 200

export async function examine(o: ExamineOptions): Promise<Finding[]> {
  const version = await o.rx('core show version')
  if (version === undefined) return [...ofWay(o.sip), unknown('Asterisk cannot be asked from here ("asterisk -rx"): run this on its machine, as root or as its user, for the rest')]
  return [
    ...ofWay(o.sip), ...ofVersion(version), ...(await ofModules(o.rx)), ...ofManager((await o.rx('manager show settings')) ?? '', (await o.rx(`manager show user ${o.amiUser}`)) ?? '', o.amiUser),
    ...ofDialplan((await o.rx('dialplan show')) ?? '', (await o.rx('dialplan show globals')) ?? ''), ...ofProfile((await o.rx(`confbridge show profile user ${USER_PROFILE}`)) ?? ''),
    ...ofIdentifiers((await o.rx('pjsip show identifiers')) ?? '', (await o.rx('pjsip show identifies')) ?? '', o.server), ...(await ofEndpoints(o.rx, o.sip)), ...ofFail2ban(o.fail2ban, o.server),
  ]
}

/** Between server and Asterisk nothing but what Asterisk itself can: RTP is plain there. */
export function ofWay(sip: SipWay | undefined): Finding[] {
  if (sip?.far === undefined) return []
  const found = [risky(`Asterisk is on another machine (${sip.far}): between the stc server and it calls cross the network as plain RTP`, 'Run the server on the machine of Asterisk, or connect the two by a network or tunnel of their own, e.g. WireGuard.')]
  if (sip.transport !== 'tls') found.push(risky(`sip.transport is ${sip.transport}: who calls whom crosses the network in plain text, too`, 'Set sip.transport to tls; Asterisk needs a transport of that kind.'))
  return found
}

function ofVersion(text: string): Finding[] {
  const [, name = '', major] = /^Asterisk ((\d+)\.\S*)/m.exec(text) ?? []
  if (major === undefined) return [unknown('Asterisk does not tell its version')]
  return [Number(major) >= OLDEST ? good(`Asterisk ${name}`) : risky(`Asterisk ${name} is older than any that stc was tried with`, `Take ${OLDEST} or newer, best 22.`)]
}

async function ofModules(rx: Rx): Promise<Finding[]> {
  const missing: string[] = []
  for (const m of MODULES) if (!new RegExp(`^${m}\\.so .*\\sRunning\\s`, 'm').test((await rx(`module show like ${m}.so`)) ?? '')) missing.push(m)
  return missing.length === 0 ? [good('all modules that are needed run')] : missing.map((m) => wrong(`the module ${m} does not run`, `Load it: "module load ${m}.so", and keep it in modules.conf.`))
}

export function ofManager(settings: string, user: string, name: string): Finding[] {
  if (!/Manager \(AMI\):\s+Yes/.test(settings)) return [wrong('the manager interface (AMI) is off: no rosters, and nobody is let into a conference', 'Set enabled = yes in [general] of manager.conf, then "manager reload".')]
  const found: Finding[] = []
  const bound = /TCP Bindaddress:\s+(\S+):\d+/.exec(settings)?.[1]
  if (bound !== undefined && !/^(127\.|\[?::1)/.test(bound)) found.push(risky(`the manager interface listens at ${bound}, in plain text`, 'Set bindaddr = 127.0.0.1 in manager.conf, or keep others away with a firewall.'))
  const read = permissions(user, 'read')
  if (read === undefined) return [...found, wrong(`there is no manager account "${name}"`, 'Run "stc server asterisk-config", then "manager reload".')]
  const lacking = (have: readonly string[], need: readonly string[]): string[] => (have.includes('all') ? [] : need.filter((n) => !have.includes(n)))
  const [noRead, noWrite] = [lacking(read, READ_CLASSES), lacking(permissions(user, 'write') ?? [], WRITE_CLASSES)]
  if (noRead.length > 0) found.push(wrong(`the manager account "${name}" may not read ${noRead.join(', ')}: rosters stay empty`, `Set read = ${READ_CLASSES.join(',')} in manager.conf.`))
  if (noWrite.length > 0) found.push(wrong(`the manager account "${name}" may not write ${noWrite.join(', ')}: rosters or the acts of hosts fail`, `Set write = ${WRITE_CLASSES.join(',')} in manager.conf.`))
  if (/ACL:\s+no/.test(user)) found.push(risky(`the manager account "${name}" may log in from everywhere`, 'Give it deny and permit lines.'))
  return found.length === 0 ? [good(`the manager account "${name}" sees and may do what is needed`)] : found
}
function permissions(user: string, which: 'read' | 'write'): string[] | undefined {
  const text = new RegExp(`^\\s*${which} perm:\\s*(.*)$`, 'm').exec(user)?.[1]
  return text === undefined ? undefined : text.trim().split(',')
}

/** Fail-open is what AGI does by itself: the dialplan has to demand our answer, and no other way may lead into a conference. */
export function ofDialplan(dialplan: string, globals: string): Finding[] {
  const found: Finding[] = []
  const contexts = dialplan.split(/^(?=\[ Context ')/m).map((text) => ({ name: /^\[ Context '([^']+)'/.exec(text)?.[1] ?? '', text }))
  const entry = contexts.find((c) => c.name === 'stc-enter')?.text
  if (entry === undefined) found.push(wrong('the dialplan has no way into conferences that asks stc', 'Run "stc server asterisk-config", then "dialplan reload".'))
  else {
    const order = [`AGI(agi://`, SECRET_VARIABLE, `\${${ADMITTED_VARIABLE}}" != "\${SHA1(`, 'ConfBridge('].map((w) => entry.indexOf(w))
    const closed = order.every((at, i) => at >= 0 && (i === 0 || at > order[i - 1]!)) && entry.includes(`/${SCRIPT}`)
    found.push(closed ? good('conferences ask stc, and stay closed when it does not answer')
      : wrong('the way into conferences is open when stc does not answer (AGI goes on by itself)', 'Run "stc server asterisk-config" again: it writes the check of its answer.'))
    if (!contexts.some((c) => c.name !== 'stc-conferences' && c.text.includes("'stc-conferences'"))) found.push(risky('no context includes stc-conferences: nobody can dial a conference', 'Put "include => stc-conferences" into the context of your phones.'))
  }
  for (const { name, text } of contexts) if (name !== 'stc-enter') for (const [, extension] of text.matchAll(/^ {2}'([^']+)' =>(?:(?!^ {2}').)*?ConfBridge\(/gms)) {
    found.push(risky(`"${extension}" in context ${name} leads into a conference past stc: whoever dials it is on the roster, and where certificates are demanded inside until the server takes it out`, 'Replace it by Gosub(stc-enter,s,1(NUMBER)).'))
  }
  if (!new RegExp(`${SECRET_VARIABLE}=\\S`).test(globals)) found.push(risky('no stc server has told the dialplan its secret: conferences are closed until one does', 'Start the stc server with "pbx" in its configuration.'))
  return found
}

function ofProfile(text: string): Finding[] {
  if (!/^Name:/m.test(text)) return [wrong(`confbridge.conf has no profile ${USER_PROFILE}`, 'Run "stc server asterisk-config", then "module reload app_confbridge.so".')]
  return /Talk Detect Events:\s+enabled/.test(text) ? [good('who talks in a conference is told')] : [risky('who talks in a conference is not told', `Set talk_detection_events = yes in [${USER_PROFILE}] of confbridge.conf.`)]
}

/** All phones behind stc come from one address: whatever is identified by that address is not them. */
export function ofIdentifiers(order: string, identifies: string, server: readonly string[]): Finding[] {
  const names = order.split('\n').map((l) => l.trim())
  const [ip, username] = [names.indexOf('ip'), names.indexOf('username')]
  const byAddress = [...identifies.matchAll(/^\s*Match:\s+([0-9a-f.:]+)(?:\/\d+)?\s*$/gim)].map((m) => m[1]!).filter((a) => server.includes(a))
  if (byAddress.length > 0 && ip >= 0 && (username < 0 || ip < username)) {
    return [wrong(`every phone behind stc is taken for the trunk at ${byAddress.join(', ')}: endpoints are identified by address before name`, 'Set endpoint_identifier_order = username,ip,anonymous in [global] of pjsip.conf and restart Asterisk.')]
  }
  if (ip >= 0 && username >= 0 && ip < username) return [risky('endpoints are identified by address before name: a trunk at the address of the stc server would take all its phones', 'Set endpoint_identifier_order = username,ip,anonymous in [global] of pjsip.conf.')]
  return [good('endpoints are identified by name before address')]
}

async function ofEndpoints(rx: Rx, sip: SipWay | undefined): Promise<Finding[]> {
  const listed = (await rx('pjsip show endpoints')) ?? ''
  const names = [...listed.matchAll(/^ Endpoint: {2}([^\s/<]+)/gm)].map((m) => m[1]!)
  const shown = new Map<string, string>()
  for (const n of names.slice(0, ENDPOINTS_LIMIT)) shown.set(n, (await rx(`pjsip show endpoint ${n}`)) ?? '')
  const found = ofEndpointSettings(shown, sip)
  if (names.length > ENDPOINTS_LIMIT) found.push(unknown(`only the first ${ENDPOINTS_LIMIT} of ${names.length} endpoints were looked at`))
  return found
}

export function ofEndpointSettings(endpoints: ReadonlyMap<string, string>, sip?: SipWay): Finding[] {
  const where = (holds: (value: (name: string) => string) => boolean): string =>
    list([...endpoints].filter(([, text]) => holds((name) => new RegExp(`^ ${name} +: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? '')).map(([n]) => n))
  const found: Finding[] = []
  const direct = where((v) => v('direct_media') === 'true')
  if (direct !== '') found.push(risky(`direct_media = yes at ${direct}: between two phones media leaves Asterisk, and recordings and DTMF features there miss it`, 'Behind stc it works, because stc is both ends; set direct_media = no where Asterisk has to hear.'))
  const timeout = where((v) => Number(v('rtp_timeout')) > 0)
  if (timeout !== '') found.push(risky(`rtp_timeout at ${timeout}: Asterisk hangs up on silence, as of a muted phone`, 'stc fills in silence for its phones; for others set rtp_timeout = 0 and rely on session timers.'))
  const messages = where((v) => v('message_context') !== '')
  if (messages !== '') found.push(risky(`message_context at ${messages}: text messages go into the dialplan, and may ring somebody`, 'Leave it out where phones take their messages inside calls.'))
  const encrypted = where((v) => v('media_encryption') !== 'no' && v('media_encryption') !== '')
  if (encrypted !== '' && sip?.far === undefined) found.push(risky(`media_encryption at ${encrypted}: between the stc server and Asterisk media is plain RTP on one machine`, 'Set media_encryption = no for phones behind stc; the network sees only what stc encrypts.'))
  if (encrypted !== '' && sip?.far !== undefined) found.push(wrong(`media_encryption at ${encrypted}: stc gives Asterisk plain RTP alone, so calls of phones behind it are refused`, 'Set media_encryption = no for phones behind stc, and keep the way between the two machines private.'))
  // Asterisk: a contact that it wrote itself lives as long as the connection.
  const rewritten = sip === undefined || sip.transport === 'udp' ? '' : where((v) => v('rewrite_contact') === 'true')
  if (rewritten !== '') found.push(risky(`rewrite_contact at ${rewritten}: whenever the connection to the stc server is lost, Asterisk forgets these phones until they register again`, 'Set rewrite_contact = no for phones behind stc: it is the same address every time.'))
  return found.length === 0 && endpoints.size > 0 ? [good(`the settings of ${endpoints.size} endpoint${endpoints.size === 1 ? '' : 's'} are in order`)] : found
}

/** Wrong passwords of one phone behind stc look like an attack from the server's address. */
export function ofFail2ban(texts: readonly string[], server: readonly string[]): Finding[] {
  const jail = texts.some((t) => /^\[asterisk[^\]]*\][^[]*^\s*enabled\s*=\s*(true|yes|1)/ms.test(t))
  if (!jail) return []
  const ignored = texts.flatMap((t) => [...t.matchAll(/^\s*ignoreip\s*=\s*(.*(?:\n[ \t]+.*)*)/gm)].flatMap((m) => m[1]!.split(/[\s,]+/)))
  const exposed = server.filter((a) => !ignored.some((i) => i === a || (i === '127.0.0.1/8' && a.startsWith('127.'))))
  return exposed.length === 0 ? [good('fail2ban leaves the stc server alone')]
    : [wrong(`fail2ban bans ${exposed.join(', ')} after some wrong passwords: one phone behind stc would take all others off`, `Add ${exposed.join(' ')} to ignoreip of the jail; stc slows down failed passwords itself, for each client.`)]
}

const list = (names: readonly string[]): string => (names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`)
