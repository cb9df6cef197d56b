/** `stc report`: one file for whoever helps, without secrets, names and places; readable, so that its user sees what it says. */
import { writeFileSync } from 'node:fs'
import { arch, release } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { type FaultCode, faultTable } from '../base/faults/index.ts'
import { clientConfig } from '../client/config.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { identityOf } from '../protocol/x509/identity-of.ts'
import { besideConfig, readConfig } from '../store/config.ts'
import { readCertificates } from '../store/identity-file.ts'
import { KnownPeers } from '../store/known-peers.ts'
import type { TracedMessage } from '../telephony/trace.ts'
import type { ClientStatus } from './attended.ts'
import { type LogLine, logFile, readLog } from './client-log.ts'
import { configFileOf, withConfig } from './config-file.ts'
import { askRunning } from './control.ts'
import { examineClient } from './doctor.ts'
import type { Finding } from './doctor/findings.ts'
import { answer, EXIT, complain } from './output.ts'
import { knowConfig, redactConfig, Redactor } from './redact.ts'
import { dataFiles } from './room-memory.ts'
import { statusLines } from './status.ts'
import { ladder } from './trace-text.ts'
import { version } from './version.ts'

const LOG_LINES = 500
const MESSAGES = 200

export function registerReport(program: Command): void {
  withConfig(program.command('report').description('write one file for whoever helps you: configuration, findings, log and SIP trace, without secrets and names'))
    .option('-o, --out <file>', 'where to write it; stc-report-TIME.txt here unless given')
    .option('--no-doctor', 'do not look for faults now')
    .action((o: { config?: string; out?: string; doctor: boolean }) => report(configFileOf(o.config), o.out, o.doctor))
}

async function report(file: string, out: string | undefined, doctor: boolean): Promise<void> {
  const text = await bundle(file, doctor)
  const to = path.resolve(out ?? `stc-report-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.txt`)
  try {
    writeFileSync(to, text, { mode: 0o600 })
  } catch (e) {
    process.exitCode = EXIT.failed
    return complain(`stc: ${to} cannot be written (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'}): name another file with --out.`)
  }
  answer({ file: to }, [`Wrote ${to}.`, 'Passwords, keys, names, numbers and public addresses are taken out. Read it before you send it: it is plain text.'])
}

/** Sections of plain text. */
export async function bundle(file: string, doctor: boolean): Promise<string> {
  const r = new Redactor()
  const config = readConfig(file, clientConfig)
  const raw = readConfig(file, z.unknown())
  if (raw.ok) knowConfig(r, raw.value)
  if (config.ok) knowConfig(r, config.value)
  const status = await askRunning(file, 'status')
  const trace = await askRunning(file, 'trace')
  if (config.ok) knowPeople(r, config.value, file, status.ok ? (status.value as ClientStatus) : undefined)
  const section = (name: string, lines: readonly string[]): string => `== ${name} ==\n${lines.length === 0 ? '(nothing)' : lines.join('\n')}\n`
  const findings = doctor && config.ok ? await examineClient(config.value, file, false) : []
  return [
    section('stc report', [`made ${new Date().toISOString()}`, `stc ${version}, Node ${process.version}, ${process.platform} ${arch()} ${release()}`, `proxy in the environment: ${['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((n) => process.env[n]) ? 'yes' : 'no'}`]),
    section('configuration', config.ok ? [JSON.stringify(redactConfig(r, config.value), undefined, 2)] : [`${config.fault.code}: ${faultTable[config.fault.code].what}`]),
    section('findings', findings.map((f) => r.text(lineOf(f)))),
    section('running client', status.ok ? statusLines(status.value as ClientStatus, Date.now() / 1000).map((l) => r.text(l)) : ['none runs with this configuration']),
    section('log', config.ok ? readLog(logFile(config.value, file)).slice(-LOG_LINES).map((l) => logLine(r, l)) : []),
    section('SIP trace', trace.ok ? ladder((trace.value as TracedMessage[]).slice(-MESSAGES), true).map((l) => r.text(l)) : []),
  ].join('\n')
}

const lineOf = (f: Finding): string => `${f.level.padEnd(8)}${f.text}`

/** A line that has a code says what the code says: its own words name people. */
function logLine(r: Redactor, l: LogLine): string {
  const known = l.code !== undefined && Object.hasOwn(faultTable, l.code) ? faultTable[l.code as FaultCode].what : undefined
  const room = l.room === undefined ? '' : `${r.alias('room', l.room)}${l.call === undefined ? '' : ` (call ${l.call})`}: `
  return `${l.at}  ${l.level}  ${room}${known === undefined ? r.text(l.text) : `${known} [${l.code}]`}`
}

/** Everybody whom this client knows by name. */
function knowPeople(r: Redactor, config: z.infer<typeof clientConfig>, file: string, status: ClientStatus | undefined): void {
  for (const line of [config, ...config.lines.map((l) => ({ ...config, identity: l.identity }))]) {
    const chain = readCertificates(besideConfig(file, line.identity.certificate))
    const own = chain.ok && chain.value[0] !== undefined ? parseCertificate(chain.value[0]) : undefined
    const named = own?.ok === true ? identityOf(createNodeCrypto(), own.value) : undefined
    if (named !== undefined) {
      r.know('person', named.subject)
      r.know('organisation', named.organisation)
      r.know('mail', ...named.emails)
      r.know('authority', named.issuer)
    }
    const peers = KnownPeers.open(dataFiles(line, file).peers)
    if (peers.ok) r.know('person', ...peers.value.all.map((p) => p.name))
  }
  for (const l of status?.lines ?? []) for (const c of l.calls) {
    r.know('room', c.room)
    r.know('person', ...c.members.map((m) => m.name))
  }
}
