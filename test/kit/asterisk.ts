/**
 * A real Asterisk 22 of a test's own: its configuration, state and recordings in a folder of its own, on free ports.
 * Several run beside each other. `test/interop/setup.ts` fetches it (`needsAsterisk`).
 */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findAsterisk } from '../interop/fetch-asterisk.ts'
import { freePorts } from './free-ports.ts'
import { run, until } from './processes.ts'
import type { Running } from './processes.ts'

/** Where it listens; decided before its configuration is written. */
export interface AsteriskPorts {
  readonly address: string
  /** UDP and TCP. */
  readonly sip: number
  readonly tls: number
  readonly ami: number
  /** First of `rtpCount`, even. */
  readonly rtp: number
  readonly rtpCount: number
}

export interface AsteriskOptions {
  /** For messages of failed tests. */
  readonly name?: string
  readonly address?: string
  /** By file name, e.g. `pjsip.conf`: appended to what the kit writes. */
  readonly config: (at: AsteriskPorts, folder: string) => Readonly<Record<string, string>>
  /** How many media ports; two for each leg. */
  readonly rtpCount?: number
  /** PEM files: with them it also listens for SIP over TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

export interface Asterisk extends AsteriskPorts {
  readonly folder: string
  readonly pid: number
  /** Where a phone dials an extension. */
  uri(extension: string): string
  /** Runs a CLI command and gives what it prints. */
  cli(command: string): Promise<string>
  /** What its log says so far, the runs before a restart included. */
  log(): string
  /** Writes a fragment to the end of a file, or instead of it; `cli('core reload')` or so makes it known. */
  write(file: string, text: string, mode?: 'append' | 'replace'): void
  /** Ends and starts again: the same ports, configuration and registrations (astdb). */
  restart(how?: 'stop' | 'kill'): Promise<void>
  /** As a power cut: nothing is said to anybody. `start` brings it back. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

const bootMs = 30_000

export async function startAsterisk(options: AsteriskOptions): Promise<Asterisk> {
  const tree = findAsterisk()
  if (tree === undefined) throw new Error('no Asterisk here: ask needsAsterisk(t) first')
  const name = options.name ?? 'asterisk'
  // Short: the path of its control socket must fit into 108 octets.
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-ast-'))
  const rtpCount = options.rtpCount ?? 60
  const ports = await freePorts(4)
  const at: AsteriskPorts = { address: options.address ?? '127.0.0.1', sip: ports, tls: ports + 1, ami: ports + 2, rtp: await freePorts(rtpCount), rtpCount }
  const etc = path.join(folder, 'etc')
  for (const d of ['etc', 'run', 'log', 'spool/monitor', 'spool/voicemail', 'spool/tmp', 'var', 'cache']) mkdirSync(path.join(folder, d), { recursive: true })
  const file = (f: string): string => path.join(etc, f)
  for (const [f, text] of Object.entries(base(at, folder, tree, options))) writeFileSync(file(f), text)
  for (const [f, text] of Object.entries(options.config(at, folder))) appendFileSync(file(f), `${text}\n`)

  const [program, ...own] = tree.command
  const withConfig = [...own, '-C', file('asterisk.conf')]
  let process: Running | undefined
  const tail = (): string => `${process?.tail() ?? ''}\n${log().slice(-3000)}`
  const log = (): string => (existsSync(path.join(folder, 'log/full')) ? readFileSync(path.join(folder, 'log/full'), 'utf8') : '')
  const cli = async (command: string): Promise<string> => {
    const asked = run(program, [...withConfig, '-rx', command])
    const code = await asked.exit
    if (code !== 0) throw new Error(`${name} does not take "${command}": ${asked.tail()}`)
    return asked.output()
  }
  const start = async (): Promise<void> => {
    const started = run(program, [...withConfig, '-f', '-n'], { cwd: folder })
    process = started
    const booted = async (): Promise<true | undefined> => {
      if (started.ended) throw new Error(`${name} ended while it started:\n${tail()}`)
      return (await cli('core waitfullybooted').catch(() => '')).includes('fully booted') || undefined
    }
    await until(bootMs, `${name} that has booted`, booted, tail, 100)
  }
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    if (how === 'kill') process?.signal('SIGKILL')
    await process?.stop(5000)
  }
  await start()
  return {
    ...at,
    folder,
    get pid() {
      return process?.pid ?? -1
    },
    uri: (extension) => `sip:${extension}@${at.address}:${at.sip}`,
    cli,
    log,
    write: (f, text, mode = 'append') => (mode === 'append' ? appendFileSync : writeFileSync)(file(f), `${text}\n`),
    async restart(how = 'stop') {
      await end(how)
      await start()
    },
    kill: () => end('kill'),
    start,
    async stop() {
      await end('stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** An endpoint with a password that registers, as most phones of a PBX are. */
export function endpoint(name: string, o: { password?: string; context?: string; codecs?: string; more?: string } = {}): string {
  return [
    `[${name}]`, 'type=endpoint', `context=${o.context ?? 'phones'}`, 'disallow=all', `allow=${o.codecs ?? 'g722,ulaw,alaw'}`, `aors=${name}`, `auth=${name}`,
    `callerid="${name}" <${name}>`, 'direct_media=no', 'rtp_symmetric=yes', o.more ?? '',
    `[${name}]`, 'type=auth', 'auth_type=digest', `username=${name}`, `password=${o.password ?? `secret-${name}`}`,
    `[${name}]`, 'type=aor', 'max_contacts=2', 'remove_existing=yes', 'qualify_frequency=0', '',
  ].join('\n')
}

// Nothing here has a database, a directory service, a sound card or a foreign trunk.
const unneeded = ['cdr_adaptive_odbc', 'cdr_odbc', 'cel_odbc', 'chan_iax2', 'chan_unistim', 'chan_motif', 'chan_console', 'pbx_dundi', 'pbx_lua', 'pbx_ael', 'res_snmp', 'res_xmpp', 'res_phoneprov',
  'res_odbc', 'res_config_odbc', 'res_config_ldap', 'res_hep', 'res_hep_pjsip', 'res_hep_rtcp', 'cdr_pgsql', 'cel_pgsql', 'cdr_radius', 'cel_radius', 'cdr_tds', 'cel_tds', 'app_voicemail_odbc',
  'res_prometheus', 'res_calendar', 'res_calendar_caldav', 'res_calendar_ews', 'res_calendar_exchange', 'res_calendar_icalendar', 'app_jack', 'res_adsi', 'app_adsiprog', 'res_smdi', 'res_aeap']

function base(at: AsteriskPorts, folder: string, tree: { modules: string; data: string }, o: AsteriskOptions): Record<string, string> {
  const dir = (d: string): string => path.join(folder, d)
  const directories = {
    astetcdir: dir('etc'), astmoddir: tree.modules, astdatadir: tree.data, astvarlibdir: dir('var'), astdbdir: dir('var'), astkeydir: dir('var'), astcachedir: dir('cache'),
    astagidir: dir('var'), astspooldir: dir('spool'), astrundir: dir('run'), astlogdir: dir('log'),
  }
  const listen = (name: string, protocol: string, port: number, more = ''): string => `[transport-${name}]\ntype=transport\nprotocol=${protocol}\nbind=${at.address}:${port}\n${more}`
  return {
    'asterisk.conf': `[directories]\n${Object.entries(directories).map(([k, v]) => `${k} => ${v}\n`).join('')}[options]\nverbose=3\nlive_dangerously=no\n`,
    'modules.conf': `[modules]\nautoload=yes\n${unneeded.map((m) => `noload=${m}.so\n`).join('')}`,
    'logger.conf': '[logfiles]\nfull => notice,warning,error,verbose,security\n',
    'pjsip.conf': `${listen('udp', 'udp', at.sip)}${listen('tcp', 'tcp', at.sip)}${o.tls === undefined ? '' : listen('tls', 'tls', at.tls, `cert_file=${o.tls.certificate}\npriv_key_file=${o.tls.key}\nmethod=tlsv1_2\n`)}`,
    'rtp.conf': `[general]\nrtpstart=${at.rtp}\nrtpend=${at.rtp + at.rtpCount - 1}\nstrictrtp=yes\nicesupport=no\n`,
    'manager.conf': `[general]\nenabled=yes\nport=${at.ami}\nbindaddr=${at.address}\n`,
    'extensions.conf': '[general]\n',
    'confbridge.conf': '[general]\n[default_user]\ntype=user\nquiet=yes\n[default_bridge]\ntype=bridge\n',
    'musiconhold.conf': '',
    'http.conf': '[general]\nenabled=no\n',
    'features.conf': '',
    'voicemail.conf': '[general]\n',
    'ari.conf': '[general]\nenabled=no\n',
  }
}
