/**
 * A client renews its certificate by itself when two thirds of its time are over, or the authority that issued it was revoked (its key was
 * stolen, and there is another one below the same root). The key is read by a short-lived process alone,
 * never by the client: its vault keeps it.
 */
import { execFile } from 'node:child_process'
import path from 'node:path'
import type { Der } from '../base/brand.ts'
import type { ClientConfig } from '../client/config.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { replaceable } from '../pki/files.ts'
import { doorOf, isDue } from '../pki/renewal.ts'
import { type Certificate, parseCertificate } from '../protocol/x509/certificate.ts'
import type { Evidence } from '../protocol/x509/evidence.ts'
import { isPathRevoked, makeAnchors, verifyChain } from '../protocol/x509/path.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { besideConfig } from '../store/config.ts'
import type { EvidenceFile } from '../store/evidence-file.ts'
import { readCertificates } from '../store/identity-file.ts'
import { currentTime } from './options.ts'
import { dataFiles, keptEvidence } from './room-memory.ts'
import { complain, say } from './output.ts'

const LOOK_MS = 6 * 3_600_000
/** For an authority that was revoked: nobody lets us in meanwhile. */
const QUICK_LOOK_MS = 300_000
/** Of lists that came since the start. */
const FIRST_LOOK_MS = 30_000
const IDLE_LOOK_MS = 30_000
const RENEW_MS = 60_000

/**
 * True when a new certificate stands in the file. Does nothing for certificates of other authorities than our small one. Where the file
 * cannot be replaced that is said from the first day on, not when it is nearly over.
 */
export async function renewIfDue(config: ClientConfig, configFile: string, place = replaceable, known?: Known): Promise<boolean> {
  const { certificate, key, anchors } = config.identity
  const file = besideConfig(configFile, certificate)
  const chain = readCertificates(file)
  const own = chain.ok ? parseCertificate(chain.value[0]!) : chain
  const now = currentTime()
  if (!own.ok || !renewsItself(config, own.value) || now > own.value.notAfter) return false
  if (!place(file).ok) {
    complain(`stc: the certificate cannot be renewed and ends on ${formatTime(own.value.notAfter)}: this client may not write into ${path.dirname(file)}. Put certificate and key where it may, a service's into /var/lib/stc.`)
    return false
  }
  const { evidence } = known ?? keptEvidence(config, configFile)
  if (!isDue(own.value, now) && !isIssuerRevoked(config, configFile, evidence)) return false
  // Whoever stole an issuing key may stand at that door.
  const lists = evidence.proofs.length === 0 ? [] : ['--lists', dataFiles(config, configFile).evidence]
  let complaint = ''
  for (const anchor of anchors) {
    const said = await run('identity', 'renew', '--certificate', file, '--key', besideConfig(configFile, key), '--anchor', besideConfig(configFile, anchor), ...lists)(proxyEnv(config.server?.proxy))
    if (said === undefined) {
      say(`certificate renewed: ${file}`)
      return true
    }
    complaint = said
  }
  complain(`the certificate is not renewed yet: ${complaint}`)
  return false
}

/** What is known of revocation: of a running line, its memory's. */
export type Known = Pick<EvidenceFile, 'evidence'>

const renewsItself = (config: ClientConfig, own: Certificate): boolean => config.identity.passphrase === undefined && doorOf(own) !== undefined

/** By what is kept: the client gets the lists that its own certificate names, whether or not the server still lets it in. */
function isIssuerRevoked(config: ClientConfig, configFile: string, evidence: Evidence): boolean {
  const crypto = createNodeCrypto()
  const anchors = makeAnchors(config.identity.anchors.flatMap((file) => certificatesIn(file, configFile)))
  const own = anchors.ok ? verifyChain(crypto, certificatesIn(config.identity.certificate, configFile), anchors.value, [], currentTime(), 'member', 'given') : anchors
  return own.ok && isPathRevoked(crypto, own.value.path.slice(1), evidence, currentTime())
}

function isUrgent({ config, known }: RenewedLine, configFile: string): boolean {
  const [own] = certificatesIn(config.identity.certificate, configFile)
  const parsed = own === undefined ? undefined : parseCertificate(own)
  return parsed?.ok === true && renewsItself(config, parsed.value) && isIssuerRevoked(config, configFile, known.evidence)
}

function certificatesIn(file: string, configFile: string): Der[] {
  const some = readCertificates(besideConfig(configFile, file))
  return some.ok ? some.value : []
}

/** Undefined, or what it complained of. */
const run = (...args: readonly string[]) => (env: NodeJS.ProcessEnv): Promise<string | undefined> => new Promise((resolve) => {
  execFile(process.execPath, [process.argv[1]!, ...args], { timeout: RENEW_MS, env }, (e, _, stderr) => resolve(e === null ? undefined : stderr.trim() || e.message))
})

export interface RenewedLine {
  readonly config: ClientConfig
  readonly known: Known
}

/** Resolves when a new certificate is there and nobody is in a call: time to start anew with it. */
export function renewal(lines: readonly RenewedLine[], configFile: string, idle: () => boolean): { readonly due: Promise<void>; stop(): void } {
  let timer: NodeJS.Timeout | undefined
  const due = new Promise<void>((resolve) => {
    const whenIdle = (): void => {
      if (idle()) resolve()
      else timer = setTimeout(whenIdle, IDLE_LOOK_MS).unref()
    }
    let quiet = 0
    const look = async (): Promise<void> => {
      quiet += QUICK_LOOK_MS
      const all = quiet >= LOOK_MS
      if (all) quiet = 0
      let any = false
      for (const line of lines) if (all || isUrgent(line, configFile)) any = (await renewIfDue(line.config, configFile, replaceable, line.known)) || any
      if (any) whenIdle()
      else timer = setTimeout(() => void look(), QUICK_LOOK_MS).unref()
    }
    timer = setTimeout(() => void look(), FIRST_LOOK_MS).unref()
  })
  return { due, stop: () => clearTimeout(timer) }
}

/** What the configuration says about the way out, said as other programs are told. */
function proxyEnv(setting = 'auto', env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (setting === 'auto') return env
  return setting === 'none' ? { ...env, NO_PROXY: '*', no_proxy: '*' } : { ...env, HTTPS_PROXY: setting, NO_PROXY: '', no_proxy: '' }
}
