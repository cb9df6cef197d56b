/** The small authority on disk (ca-files.ts): a root that can be taken away, and the authority below it that issues. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Der, UnixTime } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { appendAudit } from './audit.ts'
import { type Authority, type CertificateRequest, createCa, createSubordinate, issueCertificate, openCa } from './authority.ts'
import { type AuthoritySettings, caFiles, listAddress, readBlock, readSettings, writeSettings } from './ca-files.ts'
import { appendLine, PRIVATE_MODE, PUBLIC_MODE, readLines, unwritable, writeNew } from './files.ts'
import { unusable } from './request.ts'

export interface IssuedEntry {
  /** Hex. */
  readonly serial: string
  readonly name: string
  readonly organisation?: string
  readonly emails: readonly string[]
  readonly hosts: readonly string[]
  readonly sips?: readonly string[]
  readonly kind: 'member' | 'server'
  /** Seconds since 1970. */
  readonly issued: number
  readonly notAfter: number
  readonly fingerprint: string
}

export interface CaOptions {
  readonly name: string
  readonly organisation?: string
  readonly now: UnixTime
  readonly settings?: AuthoritySettings
}

/** Makes a new root and the authority below it that issues, in `dir`, which is created when missing. Gives the latter. */
export function initCa(crypto: CryptoPort, dir: string, options: CaOptions): Result<Authority> {
  const files = caFiles(dir)
  const problem = unusable(options)
  if (problem !== undefined) return err('IDENTITY_NAME_UNUSABLE', problem)
  if (existsSync(files.certificate) || existsSync(files.rootKey)) return err('IDENTITY_CA_EXISTS', path.resolve(dir))
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  } catch (e) {
    return unwritable(dir, e)
  }
  const { name, organisation, now, settings = {} } = options
  using root = createCa(crypto, { name, now, pathLength: 1, ...(organisation === undefined ? {} : { organisation }) })
  const address = listAddress(settings)
  const ca = createSubordinate(root, { name: `${[...name].slice(0, 54).join('')} (issuing)`, now, pathLength: 0, ...(organisation === undefined ? {} : { organisation }), ...(address === undefined ? {} : { listAddress: address }) })
  // The root's certificate comes last: with it the authority is complete.
  for (const [file, label, bytes, mode] of [
    [files.rootKey, 'PRIVATE KEY', root.pkcs8, PRIVATE_MODE], [files.issuingKey, 'PRIVATE KEY', ca.pkcs8, PRIVATE_MODE],
    [files.issuing, 'CERTIFICATE', ca.certificate, PUBLIC_MODE], [files.certificate, 'CERTIFICATE', root.certificate, PUBLIC_MODE],
  ] as const) {
    const written = writeNew(file, encodePem(label, bytes), mode)
    if (!written.ok) return written.fault.code === 'IDENTITY_OUTPUT_EXISTS' ? err('IDENTITY_CA_EXISTS', path.resolve(dir)) : written
  }
  root.pkcs8.fill(0)
  const set = writeSettings(dir, settings)
  if (!set.ok) return set
  const noted = appendAudit(crypto, files.audit, { what: 'init', name, root: toHex(crypto.hash('sha256', root.certificate)) }, now)
  return noted.ok ? ok(ca) : noted
}

/**
 * Takes away what `initCa` wrote before it was stopped. The audit begins when an authority is complete and the index with its first certificate:
 * where there is either, or the root's certificate, nothing is touched.
 */
export function clearUnfinished(dir: string): Result<void> {
  const files = caFiles(dir)
  if ([files.certificate, files.audit, files.index].some((f) => existsSync(f))) return ok(undefined)
  try {
    for (const f of [files.rootKey, files.issuingKey, files.issuing]) rmSync(f, { force: true })
    return ok(undefined)
  } catch (e) {
    return unwritable(dir, e)
  }
}

/** Opens the issuing authority in `dir`. */
export function loadCa(crypto: CryptoPort, dir: string): Result<Authority> {
  const files = caFiles(dir)
  const certificate = readBlock(files.issuing, 'CERTIFICATE')
  if (!certificate.ok) return certificate
  const key = readBlock(files.issuingKey, 'PRIVATE KEY')
  if (!key.ok) return key
  const settings = readSettings(dir)
  if (!settings.ok) return settings
  return openCa(crypto, certificate.value as Der, key.value, { intermediates: [certificate.value as Der], listAddress: listAddress(settings.value) })
}

/** The root's certificate: what everybody trusts. */
export const readRoot = (dir: string): Result<Der> => readBlock(caFiles(dir).certificate, 'CERTIFICATE') as Result<Der>

export interface IssuedFiles {
  readonly certificateFile: string
  readonly keyFile: string
  readonly entry: IssuedEntry
}

/** Issues into `PREFIX.pem` and `PREFIX.key`, and notes it in the index before anybody can have it. */
export function issueToFiles(ca: Authority, dir: string, request: CertificateRequest, prefix: string): Result<IssuedFiles> {
  const problem = unusable(request)
  if (problem !== undefined) return err('IDENTITY_NAME_UNUSABLE', problem)
  const [certificateFile, keyFile] = [`${prefix}.pem`, `${prefix}.key`]
  const taken = [certificateFile, keyFile].find((file) => existsSync(file))
  if (taken !== undefined) return err('IDENTITY_OUTPUT_EXISTS', taken)
  const { chain, pkcs8 } = issueCertificate(ca, request)
  const entry = noteIssued(ca, dir, chain, request)
  if (!entry.ok) return entry
  const kept = writeNew(keyFile, encodePem('PRIVATE KEY', pkcs8), PRIVATE_MODE)
  pkcs8.fill(0)
  if (!kept.ok) return kept
  const written = writeNew(certificateFile, chain.map((der) => encodePem('CERTIFICATE', der)).join(''), PUBLIC_MODE)
  return written.ok ? ok({ certificateFile, keyFile, entry: entry.value }) : written
}

/** Into index and audit. */
export function noteIssued(ca: Authority, dir: string, chain: readonly Der[], request: CertificateRequest): Result<IssuedEntry> {
  const certificate = parseCertificate(chain[0]!)
  if (!certificate.ok) return certificate
  const entry: IssuedEntry = {
    serial: certificate.value.serial, name: request.name, ...(request.organisation === undefined ? {} : { organisation: request.organisation }),
    emails: request.emails ?? [], hosts: request.hosts ?? [], ...(request.sips === undefined || request.sips.length === 0 ? {} : { sips: request.sips }), kind: request.kind, issued: Math.floor(request.now), notAfter: certificate.value.notAfter,
    fingerprint: toHex(ca.crypto.hash('sha256', chain[0]!)),
  }
  const noted = appendLine(caFiles(dir).index, JSON.stringify(entry))
  if (!noted.ok) return noted
  const audited = appendAudit(ca.crypto, caFiles(dir).audit, { what: 'issue', serial: entry.serial, name: entry.name }, request.now)
  return audited.ok ? ok(entry) : audited
}

/** What the authority in `dir` has issued, oldest first. */
export function listIssued(dir: string): Result<IssuedEntry[]> {
  const files = caFiles(dir)
  if (!existsSync(files.certificate)) return err('IDENTITY_CA_MISSING', path.resolve(dir))
  if (!existsSync(files.index)) return ok([])
  try {
    const entries = readLines(files.index).map((line) => JSON.parse(line) as unknown)
    return entries.every(isEntry) ? ok(entries) : err('IDENTITY_CA_INDEX_DAMAGED', files.index)
  } catch (e) {
    return e instanceof SyntaxError ? err('IDENTITY_CA_INDEX_DAMAGED', files.index) : err('IDENTITY_FILE_UNREADABLE', files.index)
  }
}

function isEntry(value: unknown): value is IssuedEntry {
  if (typeof value !== 'object' || value === null) return false
  const e = value as Partial<Record<keyof IssuedEntry, unknown>>
  const texts = [e.serial, e.name, e.kind, e.fingerprint, e.organisation ?? '']
  return texts.every((t) => typeof t === 'string') && typeof e.issued === 'number' && typeof e.notAfter === 'number' && Array.isArray(e.emails) && Array.isArray(e.hosts) && (e.sips === undefined || Array.isArray(e.sips))
}
