/** `stc ca`: a small certificate authority for those who have none. */
import { type Command, InvalidArgumentError } from 'commander'
import { unixTime } from '../base/brand.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { caFiles, type IssuedEntry, initCa, issueToFiles, listIssued, loadCa } from '../pki/ca-directory.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { complain, EXIT, fail, say } from './output.ts'

const DEFAULT_DIR = 'stc-ca'
const DAYS_LIMIT = 3650

interface IssueOptions {
  readonly ca: string
  readonly org?: string
  readonly email: readonly string[]
  readonly server?: boolean
  readonly host: readonly string[]
  readonly days?: number
  readonly out?: string
}

export function registerCa(program: Command): void {
  const authority = program.command('ca').description('make a small certificate authority and issue certificates with it')

  authority.command('init')
    .description('make a new authority')
    .argument('[dir]', 'folder for it, created when missing', DEFAULT_DIR)
    .option('--name <name>', 'what it is called', 'stc authority')
    .option('--org <organisation>', 'organisation that it belongs to')
    .action((dir: string, o: { name: string; org?: string }) => {
      const made = initCa(createNodeCrypto(), dir, { name: o.name, ...(o.org === undefined ? {} : { organisation: o.org }), now: currentTime() })
      if (!made.ok) return fail(made.fault)
      made.value[Symbol.dispose]()
      const files = caFiles(dir)
      say(`Made "${o.name}". Give ${files.certificate} to everybody who should trust it; keep ${files.key} to yourself.`)
    })

  authority.command('issue')
    .description('issue a certificate and a new key, to NAME.pem and NAME.key')
    .argument('<name>', 'name of the person or server')
    .option('--ca <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--org <organisation>', 'organisation')
    .option('--email <address>', 'mail address (can be repeated)', collect, [])
    .option('--server', 'for a server instead of a person')
    .option('--host <host>', 'host name or IP address of the server (can be repeated)', collect, [])
    .option('--days <days>', 'how long it is valid', wholeDays)
    .option('--out <prefix>', 'path of the files without .pem and .key')
    .action(issue)

  authority.command('list')
    .description('list what was issued')
    .argument('[dir]', 'folder of the authority', DEFAULT_DIR)
    .option('--json', 'as JSON, one line each')
    .action((dir: string, o: { json?: boolean }) => {
      const entries = listIssued(dir)
      if (!entries.ok) return fail(entries.fault)
      if (entries.value.length === 0 && o.json !== true) say('Nothing issued yet.')
      for (const e of entries.value) say(o.json === true ? JSON.stringify(e) : lineOf(e))
    })
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
    name, ...(o.org === undefined ? {} : { organisation: o.org }), emails: o.email, hosts: o.host, kind: server ? 'server' as const : 'member' as const,
    now: currentTime(), ...(o.days === undefined ? {} : { lifetimeDays: o.days }),
  }
  const issued = issueToFiles(authority, o.ca, request, o.out ?? fileName(name))
  if (!issued.ok) return fail(issued.fault)
  const { certificateFile, keyFile, entry } = issued.value
  say(`Wrote ${certificateFile} and ${keyFile}, valid until ${formatTime(unixTime(entry.notAfter))}. Trust anchor: ${caFiles(o.ca).certificate}`)
}

const currentTime = () => unixTime(Math.floor(Date.now() / 1000))
const collect = (value: string, before: readonly string[]): string[] => [...before, value]

function wholeDays(text: string): number {
  const days = Number(text)
  if (!Number.isInteger(days) || days < 1 || days > DAYS_LIMIT) throw new InvalidArgumentError(`1 to ${DAYS_LIMIT} days.`)
  return days
}

/** Letters and digits of the name in the current folder. */
function fileName(name: string): string {
  const plain = name.normalize('NFC').toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '')
  return plain === '' ? 'certificate' : plain
}

function lineOf(e: IssuedEntry): string {
  const about = [e.organisation, ...e.emails, ...e.hosts].filter((t) => t !== undefined)
  return `${e.serial}  ${e.kind.padEnd(6)}  until ${formatTime(unixTime(e.notAfter))}  ${e.name}${about.length === 0 ? '' : ` (${about.join(', ')})`}`
}
