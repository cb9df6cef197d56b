/** `stc ca`: a small certificate authority for those who have none. */
import type { Command } from 'commander'
import { unixTime } from '../base/brand.ts'
import { makeFault } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { appendAudit, readAudit } from '../pki/audit.ts'
import { type IssuedEntry, initCa, issueToFiles, listIssued, loadCa, readRoot } from '../pki/ca-directory.ts'
import { caFiles, readBlock, readSettings } from '../pki/ca-files.ts'
import { openDoor } from '../pki/enrolment/door.ts'
import { Invitations, type InvitationState } from '../pki/enrolment/invitations.ts'
import { endsSoon, renewIssuing } from '../pki/issuing.ts'
import { findIssued, listRevoked, publishList, revoke } from '../pki/revoked.ts'
import { everyAddress } from '../net/any-address.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { collect, currentTime, hostAndPort, wholeDays } from './options.ts'
import { complain, EXIT, fail, interrupted, say } from './output.ts'

export const DEFAULT_DIR = 'stc-ca'

interface IssueOptions {
  readonly ca: string
  readonly org?: string
  readonly email: readonly string[]
  readonly server?: boolean
  readonly host: readonly string[]
  readonly sip: readonly string[]
  readonly days?: number
  readonly out?: string
}

interface InitOptions {
  readonly name: string
  readonly org?: string
  readonly url?: { host: string; port: number }
  readonly server?: { host: string; port: number }
  readonly realm?: string
  readonly journal: boolean
}

export function registerCa(program: Command): void {
  const authority = program.command('ca').description('make a small certificate authority, invite people, issue and revoke')

  authority.command('init')
    .description('make a new authority')
    .argument('[dir]', 'folder for it, created when missing', DEFAULT_DIR)
    .option('--name <name>', 'what it is called', 'stc authority')
    .option('--org <organisation>', 'organisation that it belongs to')
    .option('--url <host:port>', 'where "stc ca serve" will be reached: needed for invitations, renewal and revocation', hostAndPort(7444))
    .option('--server <host:port>', 'the stc server of the group, told to new members', hostAndPort(7443))
    .option('--realm <realm>', 'the realm of that server')
    .option('--no-journal', 'the group keeps no journals of its conferences: new members\' clients are set up so')
    .action(init)

  authority.command('issue')
    .description('issue a certificate and a new key, to NAME.pem and NAME.key')
    .argument('<name>', 'name of the person or server')
    .option('--ca <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--org <organisation>', 'organisation')
    .option('--email <address>', 'mail address (can be repeated)', collect, [])
    .option('--server', 'for a server instead of a person')
    .option('--host <host>', 'host name or IP address of the server (can be repeated)', collect, [])
    .option('--sip <address>', 'extension of the phone that will use it, like sip:2001@pbx.example (can be repeated)', collect, [])
    .option('--days <days>', 'how long it is valid', wholeDays)
    .option('--out <prefix>', 'path of the files without .pem and .key')
    .action(issue)

  authority.command('serve')
    .description('open the door for invited people, renewals and the revocation list')
    .argument('[dir]', 'folder of the authority', DEFAULT_DIR)
    .option('--listen <address:port>', 'where to listen; unless given, every address and the port of --url', hostAndPort(7444))
    .action(serve)

  authority.command('confirm')
    .description('let an invited person in who has used the invitation')
    .argument('<name>', 'name on the invitation')
    .option('--ca <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--refuse', 'do not let in: it was somebody else')
    .action((name: string, o: { ca: string; refuse?: boolean }) => {
      const open = new Invitations(o.ca).all().filter((s) => s.invitation.name === name && s.use !== undefined && s.verdict === undefined)
      if (open.length !== 1) {
        process.exitCode = EXIT.failed
        return complain(`stc: ${open.length === 0 ? `nobody waits under the name "${name}"` : `${open.length} wait under the name "${name}": refuse them and invite again`}. "stc ca list" shows who waits.`)
      }
      decide(o.ca, open[0]!, o.refuse !== true)
    })

  authority.command('revoke')
    .description('revoke a certificate: the owner is out of running rooms as soon as the new list has arrived')
    .argument('<which>', 'name, or serial number')
    .option('--ca <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--all', 'all certificates of that name')
    .action((which: string, o: { ca: string; all?: boolean }) => {
      const opened = loadCa(createNodeCrypto(), o.ca)
      if (!opened.ok) return fail(opened.fault)
      using ca = opened.value
      const found = findIssued(o.ca, which, o.all === true, currentTime())
      if (!found.ok) return fail(found.fault)
      const done = revoke(ca, o.ca, found.value, currentTime())
      if (!done.ok) return fail(done.fault)
      for (const e of found.value) say(`Revoked ${e.serial} (${e.name}).`)
      say(`The new list is ${caFiles(o.ca).list}. "stc ca serve" hands it out; or put it where the server reads it (revocation.lists).`)
    })

  authority.command('renew-issuing')
    .description('make a new issuing authority with the root key: before the old one ends, or because its key was stolen')
    .argument('[dir]', 'folder of the authority', DEFAULT_DIR)
    .requiredOption('--root-key <file>', 'root.key, from where it is locked away')
    .option('--compromised', 'the issuing key was stolen: revoke the old issuing authority, and with it every certificate that it signed')
    .action(renewOne)

  authority.command('list')
    .description('list what was issued, revoked, and who is invited')
    .argument('[dir]', 'folder of the authority', DEFAULT_DIR)
    .option('--json', 'issued certificates as JSON, one line each')
    .action(list)

  authority.command('audit')
    .description('what the authority did, in order; fails when a line was altered or taken out')
    .argument('[dir]', 'folder of the authority', DEFAULT_DIR)
    .action((dir: string) => {
      const root = readRoot(dir)
      if (!root.ok) return fail(root.fault)
      const lines = readAudit(createNodeCrypto(), caFiles(dir).audit)
      if (!lines.ok) return fail(lines.fault)
      warnOfEnd(dir)
      for (const { n, at, what, before: _, ...rest } of lines.value) say(`${n}  ${formatTime(unixTime(at))}  ${what}  ${Object.entries(rest).map(([k, v]) => `${k}=${String(v)}`).join('  ')}`)
    })
}

function renewOne(dir: string, o: { rootKey: string; compromised?: boolean }): void {
  const rootKey = readBlock(o.rootKey, 'PRIVATE KEY')
  if (!rootKey.ok) return fail(rootKey.fault.code === 'IDENTITY_CA_MISSING' ? makeFault('IDENTITY_FILE_MISSING', o.rootKey) : rootKey.fault)
  const compromised = o.compromised === true
  const made = renewIssuing(createNodeCrypto(), dir, { rootKey: rootKey.value, compromised, now: currentTime() })
  rootKey.value.fill(0)
  if (!made.ok) return fail(made.fault)
  using ca = made.value
  const files = caFiles(dir)
  say(`A new issuing authority signs from now on, until ${formatTime(ca.notAfter)}. "stc ca serve" takes it up by itself.`)
  if (!compromised) return say('Nobody has to do anything: certificates that were issued before hold to their end, and are renewed by the new one.')
  say(`The old one is revoked, and any before it, by the list in ${files.list}: with that list, nothing that they signed opens any door or room.`)
  say('Clients renew by themselves within minutes; the server by "stc identity renew" and a restart. What the thief signed is not in the index and is not renewed.')
  say(`If servers do not fetch the list from "stc ca serve", give them ${files.list} (revocation.lists).`)
}

/** On the line of complaints: lists are read by programs. */
export function warnOfEnd(dir: string): void {
  const opened = loadCa(createNodeCrypto(), dir)
  if (!opened.ok) return
  using ca = opened.value
  const root = readRoot(dir)
  const top = root.ok ? parseCertificate(root.value) : root
  if (!top.ok) return
  const [ends, last] = [ca, top.value].map((c) => endsSoon(c, currentTime()))
  if (last !== undefined) complain(`stc: the authority's root ends on ${formatTime(last)}, and with it all that is below. Make a new authority (stc ca init), and have everybody add its ca.pem to identity.anchors before`)
  // One that ends with the root cannot be renewed for longer.
  if (ends !== undefined && ends < top.value.notAfter) complain(`stc: the issuing authority ends on ${formatTime(ends)}, and whatever it issues ends then at the latest. Make a new one: stc ca renew-issuing --root-key FILE`)
}

function init(dir: string, o: InitOptions): void {
  const settings = { ...(o.url === undefined ? {} : o.url), ...(o.server === undefined ? {} : { server: o.server.host, serverPort: o.server.port }), ...(o.realm === undefined ? {} : { realm: o.realm }), ...(o.journal ? {} : { journal: false as const }) }
  const made = initCa(createNodeCrypto(), dir, { name: o.name, ...(o.org === undefined ? {} : { organisation: o.org }), now: currentTime(), settings })
  if (!made.ok) return fail(made.fault)
  using ca = made.value
  const published = publishList(ca, dir, currentTime())
  if (!published.ok) return fail(published.fault)
  const files = caFiles(dir)
  say(`Made "${o.name}".`)
  say(`  ${files.certificate}    everybody trusts this one: give it to whoever asks`)
  say(`  ${files.rootKey}  move it to a stick and lock that away: it is only needed to make a new issuing authority`)
  say(`  ${files.issuingKey}  signs day by day: stays here, nobody else may read it`)
  if (o.url === undefined) say('Without --url there is no door: no invitations, no renewal, and revocation lists have to be carried to the server by hand.')
  else say(`Next: stc ca serve ${dir === DEFAULT_DIR ? '' : dir}`.trimEnd() + ', and in another window: stc invite "NAME"')
}

async function serve(dir: string, o: { listen?: { host: string; port: number } }): Promise<void> {
  const crypto = createNodeCrypto()
  const opened = loadCa(crypto, dir)
  if (!opened.ok) return fail(opened.fault)
  const root = readRoot(dir)
  if (!root.ok) return fail(root.fault)
  const settings = readSettings(dir)
  if (!settings.ok) return fail(settings.fault)
  const { host, port } = settings.value
  if (host === undefined || port === undefined) {
    process.exitCode = EXIT.config
    return complain('stc: this authority was made without --url: nobody would find its door. Make a new one with "stc ca init --url HOST:PORT".')
  }
  warnOfEnd(dir)
  const stopped = interrupted()
  const door = await openDoor({
    ca: opened.value, root: root.value, dir, settings: settings.value, now: currentTime, hosts: [host, ...(host === 'localhost' ? [] : ['localhost'])],
    bind: { address: await everyAddress(o.listen?.host ?? '::'), port: o.listen?.port ?? port }, note: (text) => say(`${formatTime(currentTime())}  ${text}`),
  })
  if (!door.ok) return fail(door.fault)
  complain(`authority's door at ${host} port ${port} (listening at ${door.value.address} port ${door.value.port}); Ctrl-C closes it`)
  await stopped
  await door.value.close()
  opened.value[Symbol.dispose]()
}

/** Says yes or no to whoever used the invitation. */
export function decide(dir: string, { invitation, use }: InvitationState, letIn: boolean): void {
  const decided = new Invitations(dir).decide(invitation.id, { let: letIn, at: currentTime() })
  if (!decided.ok) return fail(decided.fault)
  appendAudit(createNodeCrypto(), caFiles(dir).audit, { what: letIn ? 'confirm' : 'refuse', name: invitation.name, code: use?.code ?? '' }, currentTime())
  say(letIn ? `${invitation.name} gets a certificate at the next try (within seconds, if "stc ca serve" runs).` : `Refused. Invite ${invitation.name} again when you have talked.`)
}

function issue(name: string, o: IssueOptions): void {
  const server = o.server === true
  if (server !== o.host.length > 0) {
    process.exitCode = EXIT.usage
    return complain(server ? 'stc: a server needs at least one --host, the name or address that clients connect to.' : 'stc: --host is for servers: add --server.')
  }
  const opened = loadCa(createNodeCrypto(), o.ca)
  if (!opened.ok) return fail(opened.fault)
  using authority = opened.value
  const request = {
    name, ...(o.org === undefined ? {} : { organisation: o.org }), emails: o.email, hosts: o.host, sips: o.sip, kind: server ? 'server' as const : 'member' as const,
    now: currentTime(), ...(o.days === undefined ? {} : { lifetimeDays: o.days }),
  }
  const issued = issueToFiles(authority, o.ca, request, o.out ?? fileName(name))
  if (!issued.ok) return fail(issued.fault)
  const { certificateFile, keyFile, entry } = issued.value
  say(`Wrote ${certificateFile} and ${keyFile}, valid until ${formatTime(unixTime(entry.notAfter))}. Trust anchor: ${caFiles(o.ca).certificate}`)
}

function list(dir: string, o: { json?: boolean }): void {
  const entries = listIssued(dir)
  if (!entries.ok) return fail(entries.fault)
  const revoked = listRevoked(dir)
  if (!revoked.ok) return fail(revoked.fault)
  const gone = new Map(revoked.value.map((r) => [r.serial, r.when]))
  if (o.json === true) {
    for (const e of entries.value) say(JSON.stringify({ ...e, ...(gone.has(e.serial) ? { revoked: gone.get(e.serial) } : {}) }))
    return
  }
  warnOfEnd(dir)
  if (entries.value.length === 0) say('Nothing issued yet.')
  for (const e of entries.value) say(lineOf(e, gone.get(e.serial)))
  for (const s of new Invitations(dir).all().filter((i) => !i.issued)) say(invitationLine(s))
}

function invitationLine({ invitation, use, verdict }: InvitationState): string {
  const { name, until } = invitation
  if (verdict?.let === false) return `invited  ${name}  refused`
  if (use !== undefined) return `invited  ${name}  WAITS for you: used from ${use.from} on ${formatTime(unixTime(use.at))}, key code ${use.code}: stc ca confirm "${name}"`
  return `invited  ${name}  ${until < currentTime() ? 'expired' : `not used yet, until ${formatTime(unixTime(until))}`}`
}

/** Letters and digits of the name in the current folder. */
export function fileName(name: string): string {
  const plain = name.normalize('NFC').toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '')
  return plain === '' ? 'certificate' : plain
}

function lineOf(e: IssuedEntry, revoked: number | undefined): string {
  const about = [e.organisation, ...e.emails, ...e.hosts, ...(e.sips ?? [])].filter((t) => t !== undefined)
  const until = revoked === undefined ? `until ${formatTime(unixTime(e.notAfter))}` : `REVOKED ${formatTime(unixTime(revoked))}`
  return `${e.serial}  ${e.kind.padEnd(6)}  ${until}  ${e.name}${about.length === 0 ? '' : ` (${about.join(', ')})`}`
}

