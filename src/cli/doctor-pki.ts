/** `stc doctor pki`: what is wrong, or will be, with certificates and revocation, and what to do about it. */
import type { Command } from 'commander'
import type { Fault } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { displayName } from '../model/identity.ts'
import type { RevocationProof, RevocationRule } from '../model/trust.ts'
import { fetchAnswer, fetchLists, isFetchable } from '../pki/fetch.ts'
import { type Certificate, certificateText } from '../protocol/x509/certificate.ts'
import { makeAnchors, type VerifiedPath, verifyChain } from '../protocol/x509/path.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { besideConfig, readConfig } from '../store/config.ts'
import { readCertificates } from '../store/identity-file.ts'
import { readLists } from '../store/revocation-file.ts'
import { configFileOf } from './config-file.ts'
import { currentTime } from './options.ts'
import { type Finding, good, ofFault, risky, showFindings, wrong } from './doctor/findings.ts'
import { fail } from './output.ts'
import { z } from 'zod'

const SOON_S = 14 * 86_400

/** Of a client's or a server's configuration, as much as is looked at. */
const looked = z.object({
  identity: z.object({ certificate: z.string(), anchors: z.array(z.string()).min(1), revocation: z.object({ rule: z.string().optional(), lists: z.array(z.string()).optional() }).optional() }),
  revocation: z.object({ rule: z.string().optional(), lists: z.array(z.string()).optional() }).optional(),
})

export function registerDoctorPki(doctor: Command): void {
  doctor.command('pki')
    .description('check certificate, chain, dates and revocation of a client or server')
    .option('-c, --config <file>', 'its configuration')
    .option('--offline', 'fetch nothing')
    // `stc doctor` has these options as well and takes them, wherever they stand.
    .action((_: object, command: Command) => {
      const { config, offline } = command.optsWithGlobals<{ config?: string; offline?: boolean }>()
      return run({ config: configFileOf(config), ...(offline === undefined ? {} : { offline }) })
    })
}

const sentence = (f: Fault): string => `${f.message} [${f.code}]`

class Report {
  readonly findings: Finding[] = []
  good(text: string): void {
    this.findings.push(good(text))
  }
  warn(text: string, todo: string): void {
    this.findings.push(risky(text, todo))
  }
  fault(text: string, todo: string): void {
    this.findings.push(wrong(text, todo))
  }
}

async function run(o: { config: string; offline?: boolean }): Promise<void> {
  const config = readConfig(o.config, looked)
  if (!config.ok) return fail(config.fault)
  showFindings(await examinePki(o.config, o.offline === true))
}

/** Certificate, chain, dates and revocation of whatever this configuration is of. */
export async function examinePki(file: string, offline: boolean): Promise<readonly Finding[]> {
  const report = new Report()
  const failed = await look(file, offline, report)
  return failed === undefined ? report.findings : [...report.findings, ofFault(failed)]
}

async function look(file: string, offline: boolean, report: Report): Promise<Fault | undefined> {
  const config = readConfig(file, looked)
  if (!config.ok) return config.fault
  const { certificate, anchors: anchorFiles } = config.value.identity
  const settings = config.value.revocation ?? config.value.identity.revocation ?? {}
  const chain = readCertificates(besideConfig(file, certificate))
  if (!chain.ok) return chain.fault
  const ders = anchorFiles.map((f) => readCertificates(besideConfig(file, f)))
  for (const d of ders) if (!d.ok) return d.fault
  const anchors = makeAnchors(ders.flatMap((d) => (d.ok ? d.value : [])))
  if (!anchors.ok) return anchors.fault
  const crypto = createNodeCrypto()
  const now = currentTime()
  const asMember = verifyChain(crypto, chain.value, anchors.value, [], now, 'member', 'given')
  const verified = asMember.ok ? asMember : verifyChain(crypto, chain.value, anchors.value, [], now, 'server', 'given')
  if (!verified.ok) return asMember.ok ? verified.fault : asMember.fault
  const { identity, path, validUntil } = verified.value
  report.good(`${displayName(identity)}, by ${identity.issuer}; ${path.length - 1} step${path.length === 2 ? '' : 's'} to the anchor`)
  if (validUntil - now < SOON_S) report.warn(`the path ends on ${formatTime(validUntil)}`, 'renew the certificate: "stc identity renew", or ask your authority')
  else report.good(`valid until ${formatTime(validUntil)}`)
  const proofs: RevocationProof[] = []
  for (const list of settings.lists ?? []) {
    const lists = readLists(besideConfig(file, list))
    if (lists.ok) proofs.push(...lists.value)
    else report.fault(sentence(lists.fault), `stc explain ${lists.fault.code}`)
  }
  for (const [i, c] of path.entries()) {
    const issuer = path[i + 1]
    if (issuer !== undefined) await checkPoints(report, c, issuer, proofs, offline)
  }
  verdict(report, verified.value, chain.value, anchors.value, proofs, settings.rule as RevocationRule | undefined)
  return undefined
}

/** Every place that this certificate names. */
async function checkPoints(report: Report, c: Certificate, issuer: Certificate, proofs: RevocationProof[], offline: boolean): Promise<void> {
  const who = certificateText(c)
  const { crlAddresses, ocspAddresses = [] } = c.extensions
  if (crlAddresses === undefined && ocspAddresses.length === 0) {
    report.good(`${who} names no place for its revocation: nothing is asked for under the rule "named"`)
    return
  }
  const reachable = (crlAddresses ?? []).filter(isFetchable)
  const responders = ocspAddresses.filter(isFetchable)
  if (reachable.length === 0 && responders.length === 0) {
    const ldap = (crlAddresses ?? []).find((a) => /^ldaps?:/i.test(a))
    report.fault(
      `${who}: ${ldap === undefined ? 'its revocation list has no address that can be fetched' : `its revocation list is in the directory alone (${ldap.slice(0, 60)}…)`}`,
      ldap === undefined ? 'have the authority publish its list by http, or give the list as a file: revocation.lists'
        : 'AD CS: on the authority, "Extensions" → CRL Distribution Point: add http://HOST/CertEnroll/<CaName><CRLNameSuffix><DeltaCRLAllowed>.crl with "Include in the CDP extension of issued certificates", publish (certutil -CRL), and issue the certificate anew; or copy the .crl to the server now and then: revocation.lists',
    )
    return
  }
  if (offline) return report.good(`${who}: ${[...reachable, ...responders].join(', ')} (not asked)`)
  for (const address of reachable) {
    const got = await fetchLists(address)
    if (!got.ok) {
      report.fault(sentence(got.fault), 'the server and clients need this address; check it from their machines, or give the list as a file: revocation.lists')
      continue
    }
    proofs.push(...got.value)
    report.good(`${who}: list from ${address}, ${got.value.reduce((sum, l) => sum + l.der.length, 0)} octets`)
  }
  for (const address of responders) {
    const got = await fetchAnswer(createNodeCrypto(), address, c, issuer)
    if (!got.ok) report.warn(sentence(got.fault), reachable.length > 0 ? 'the list is used instead' : 'without an answer nobody with this certificate comes in under the rule "named"')
    else {
      proofs.push(got.value)
      report.good(`${who}: answer from ${address}`)
    }
  }
}

function verdict(report: Report, { path }: VerifiedPath, chain: Parameters<typeof verifyChain>[1], anchors: Parameters<typeof verifyChain>[2], proofs: readonly RevocationProof[], rule: RevocationRule = 'named'): void {
  const crypto = createNodeCrypto()
  const purpose = path[0]?.extensions.extendedKeyUsage?.includes('1.3.6.1.5.5.7.3.2') === false ? 'server' : 'member'
  const judged = verifyChain(crypto, chain, anchors, proofs, currentTime(), purpose, rule)
  if (judged.ok) report.good(`accepted under the rule "${rule}"`)
  else report.fault(sentence(judged.fault), `code ${judged.fault.code}; under the rule "${rule}" others do not let this certificate in`)
}
