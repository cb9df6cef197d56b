/** `stc identity`: a certificate of an authority that is there already. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { err, ok, type Result } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { CryptoPort, SignatureName } from '../crypto/port.ts'
import { displayName } from '../model/identity.ts'
import type { RevocationProof } from '../model/trust.ts'
import { makeCsr } from '../pki/csr.ts'
import { PRIVATE_MODE, PUBLIC_MODE, writeNew } from '../pki/files.ts'
import { renewAtDoor } from '../pki/renewal.ts'
import { unusable } from '../pki/request.ts'
import { Evidence } from '../protocol/x509/evidence.ts'
import { makeAnchors, verifyChain } from '../protocol/x509/path.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { readKept } from '../store/evidence-file.ts'
import { readCertificates, readIdentity } from '../store/identity-file.ts'
import { importIdentity } from '../store/import-identity.ts'
import { readLists } from '../store/revocation-file.ts'
import { needsPassphrase, systemPlaces, unlockFor } from '../store/protect-key.ts'
import { askPassphrase, servicePassphrase } from './ask.ts'
import { authorityAsker } from './authority.ts'
import { fileName } from './ca.ts'
import { collect, currentTime } from './options.ts'
import { answer, coded, complain, EXIT, fail, say } from './output.ts'
import { keepKey } from './setup-files.ts'

const KEYS: Readonly<Record<string, readonly [algorithm: SignatureName, make: () => KeyObject]>> = {
  'p256': ['ecdsa-p256-sha256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  'p384': ['ecdsa-p384-sha384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  'p521': ['ecdsa-p521-sha512', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  'ed25519': ['ed25519', () => generateKeyPairSync('ed25519').privateKey],
  'rsa2048': ['rsa-pkcs1-sha256', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  'rsa3072': ['rsa-pkcs1-sha256', () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey],
  'rsa4096': ['rsa-pkcs1-sha256', () => generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey],
}

interface RequestOptions {
  readonly org?: string
  readonly email: readonly string[]
  readonly host: readonly string[]
  readonly key: string
  readonly template?: string
  readonly out?: string
}

interface ImportOptions {
  readonly key?: string
  readonly passwordFile?: string
  readonly anchor: readonly string[]
  readonly out?: string
  readonly open?: boolean
}

export function registerIdentity(program: Command): void {
  const identity = program.command('identity').description('use a certificate of an authority that your organisation has')

  identity.command('request')
    .description('make a key, and a request (CSR) to take to the authority: NAME.key and NAME.csr')
    .argument('<name>', 'name that the certificate shall show')
    .option('--csr', 'write a request (the only form there is)')
    .option('--org <organisation>', 'organisation')
    .option('--email <address>', 'mail address (can be repeated)', collect, [])
    .option('--host <host>', 'for a server: host name or IP address (can be repeated)', collect, [])
    .addOption(new Option('--key <kind>', 'kind of key').choices(Object.keys(KEYS)).default('p256'))
    .option('--template <name>', 'AD CS: name of the certificate template')
    .option('--out <prefix>', 'path of the files without ending')
    .action(request)

  identity.command('import')
    .description('take in what the authority gave: PEM, DER, PKCS#7 (.p7b) or PKCS#12 (.p12, .pfx)')
    .argument('<file>', 'certificate, chain, or PKCS#12 file')
    .option('--key <file>', 'the key made with "stc identity request"; PKCS#12 files hold their own')
    .option('--password-file <file>', 'password of the PKCS#12 file or of the key; asked for unless given')
    .option('--anchor <file>', 'authority to check the chain against (can be repeated)', collect, [])
    .option('--out <prefix>', 'path of the files without .pem and .key')
    .option('--open', 'leave the key that came inside open on the disk: for programs other than stc')
    .action(importFile)

  identity.command('show')
    .description('what others will see')
    .argument('<file>', 'certificate, PEM')
    .option('--anchor <file>', 'authority to check the chain against (can be repeated)', collect, [])
    .action((file: string, o: { anchor: readonly string[] }) => {
      const chain = readCertificates(file)
      if (!chain.ok) return fail(chain.fault)
      const anchors = anchorsFrom(o.anchor)
      if (!anchors.ok) return fail(anchors.fault)
      const last = chain.value.at(-1)!
      describe(chain.value, o.anchor.length === 0 ? [last] : anchors.value, o.anchor.length > 0)
    })

  identity.command('renew')
    .description('renew a certificate of a small authority of ours, now')
    .requiredOption('--certificate <file>', 'PEM; the new one takes its place')
    .requiredOption('--key <file>', 'PEM')
    .requiredOption('--anchor <file>', 'the authority\'s root')
    .option('--lists <file>', 'revocation lists, or evidence.stc of a client: no door whose authority they revoke is taken (can be repeated)', collect, [])
    .action(renew)
}

function request(name: string, o: RequestOptions): void {
  const fields = { name, ...(o.org === undefined ? {} : { organisation: o.org }), emails: o.email, hosts: o.host, ...(o.template === undefined ? {} : { template: o.template }) }
  const problem = unusable(fields)
  if (problem !== undefined) {
    process.exitCode = EXIT.usage
    return complain(`stc: ${problem}.`)
  }
  const prefix = o.out ?? fileName(name)
  const [algorithm, make] = KEYS[o.key]!
  const pkcs8 = Uint8Array.from(make().export({ format: 'der', type: 'pkcs8' }))
  using signer = createNodeCrypto().signer(algorithm, pkcs8)
  for (const [file, label, bytes, mode] of [[`${prefix}.key`, 'PRIVATE KEY', pkcs8, PRIVATE_MODE], [`${prefix}.csr`, 'CERTIFICATE REQUEST', makeCsr(signer, fields), PUBLIC_MODE]] as const) {
    const written = writeNew(file, encodePem(label, bytes), mode)
    if (!written.ok) return fail(written.fault)
  }
  pkcs8.fill(0)
  say(`Wrote ${prefix}.csr, to take to the authority, and ${prefix}.key, which stays here.`)
  say(`Then: stc identity import CERTIFICATE --key ${prefix}.key`)
}

async function importFile(file: string, o: ImportOptions): Promise<void> {
  const crypto = createNodeCrypto()
  const given = o.passwordFile === undefined ? undefined : firstLine(o.passwordFile)
  const take = (password: string | undefined) => importIdentity(crypto, file, { ...(password === undefined ? {} : { password, keyPassphrase: password }), ...(o.key === undefined ? {} : { keyFile: o.key }) })
  let password = given
  let imported = take(given)
  if (!imported.ok && given === undefined && PASSPHRASE.has(imported.fault.code)) {
    imported = await askAgain(o.key ?? file, (typed) => {
      password = typed
      return take(typed)
    }, imported)
  }
  if (!imported.ok) return fail(imported.fault)
  const { chain, root, pkcs8 } = imported.value
  const anchors = anchorsFrom(o.anchor)
  if (!anchors.ok) return fail(anchors.fault)
  const prefix = o.out ?? file.replace(/\.[a-z0-9]{1,4}$/i, '')
  // The key's own file stays where it is; one that came inside is written.
  const keyFile = o.key ?? `${prefix}.key`
  const kept = o.key === undefined ? writeKey(keyFile, pkcs8, o.open === true ? undefined : password) : undefined
  pkcs8.fill(0)
  if (kept?.ok === false) return fail(kept.fault)
  const written = writeNew(`${prefix}.pem`, chain.map((der) => encodePem('CERTIFICATE', der)).join(''), PUBLIC_MODE)
  if (!written.ok) return fail(written.fault)
  say(`Wrote ${prefix}.pem (${chain.length} certificate${chain.length === 1 ? '' : 's'})${kept === undefined ? '' : ` and ${keyFile}`}.`)
  if (kept !== undefined) say(KEPT[kept.value](keyFile))
  if (root !== undefined) say('The file also held a root: it is not trusted by being there. Get the authority\'s certificate from whoever runs it.')
  if (o.anchor.length > 0) describe(chain, anchors.value, true)
}

const KEPT = {
  keyring: (file: string): string => `${file} is sealed with the system's keyring, for this machine. A server, or another program than stc, needs it open: --open.`,
  passphrase: (file: string): string => `${file} is sealed with that password, for this machine: a client asks for it when it starts. A server, or another program than stc, needs it open: --open.`,
  open: (file: string): string => `${file} lies open, readable by you alone: "stc key protect" seals the key of a client.`,
} as const

/** As the file was: a password that locked the key locks it here too. Nothing is overwritten. */
function writeKey(file: string, pkcs8: Uint8Array, password: string | undefined): Result<keyof typeof KEPT> {
  if (existsSync(file)) return err('IDENTITY_OUTPUT_EXISTS', file)
  if (password !== undefined && password !== '') return keepKey(file, pkcs8, password, systemPlaces())
  const written = writeNew(file, encodePem('PRIVATE KEY', pkcs8), PRIVATE_MODE)
  return written.ok ? ok('open') : written
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0]
  } catch {
    return undefined
  }
}

const PASSPHRASE = new Set<string>(['IDENTITY_PASSPHRASE_NEEDED', 'IDENTITY_PASSPHRASE_WRONG'])
const TRIES = 3
type Taken = ReturnType<typeof importIdentity>

/** On the terminal, three times at most. */
async function askAgain(file: string, take: (password: string) => Taken, before: Taken): Promise<Taken> {
  let taken = before
  for (let i = 0; i < TRIES && !taken.ok && PASSPHRASE.has(taken.fault.code); i++) {
    const typed = await askPassphrase(i === 0 ? `Password of ${file}: ` : 'That does not open it. Again: ')
    if (typed === undefined) return taken
    taken = take(typed)
  }
  return taken
}

function anchorsFrom(files: readonly string[]) {
  const all = files.map((f) => readCertificates(f))
  const bad = all.find((r) => !r.ok)
  return bad !== undefined && !bad.ok ? bad : { ok: true as const, value: all.flatMap((r) => (r.ok ? r.value : [])) }
}

function describe(chain: Parameters<typeof verifyChain>[1], anchorDers: Parameters<typeof makeAnchors>[0], judged: boolean): void {
  const crypto = createNodeCrypto()
  const anchors = makeAnchors(anchorDers)
  if (!anchors.ok) return fail(anchors.fault)
  const tries = (['member', 'server'] as const).map((purpose) => verifyChain(crypto, chain, anchors.value, [], currentTime(), purpose, 'given'))
  const good = tries.find((t) => t.ok)
  const first = tries[0]!
  if (good === undefined || !good.ok) {
    if (!judged && !first.ok) return complain(`stc: give the authority with --anchor FILE, then everything can be checked. So far: ${coded(first.fault)}`)
    return first.ok ? undefined : fail(first.fault)
  }
  const { identity, path } = good.value
  const purposes = [...(tries[0]!.ok ? ['people'] : []), ...(tries[1]!.ok ? ['servers'] : [])]
  answer({ name: displayName(identity), ...identity, validUntil: good.value.validUntil, between: Math.max(0, path.length - 2), purposes }, [
    `name shown    ${displayName(identity)}`,
    ...(identity.organisation === undefined ? [] : [`organisation  ${identity.organisation}`]),
    ...(identity.emails.length > 0 ? [`mail          ${identity.emails.join(', ')}`] : []),
    ...(identity.hosts.length > 0 ? [`hosts         ${identity.hosts.join(', ')}`] : []),
    `issued by     ${identity.issuer}${path.length > 2 ? `, ${path.length - 2} between it and the root` : ''}`,
    `valid         ${formatTime(identity.notBefore)} to ${formatTime(good.value.validUntil)}`,
    `for           ${purposes.join(' and ')}`,
    `key           ${identity.keyId.slice(0, 32)}`,
  ])
}

async function renew(o: { certificate: string; key: string; anchor: string; lists: readonly string[] }): Promise<void> {
  const crypto = createNodeCrypto()
  const evidence = evidenceIn(o.lists)
  if (!evidence.ok) return fail(evidence.fault)
  const own = await readLocked(crypto, { certificateFile: o.certificate, keyFile: o.key })
  if (!own.ok) return fail(own.fault)
  using identity = own.value
  const root = readCertificates(o.anchor)
  if (!root.ok) return fail(root.fault)
  const done = await renewAtDoor(crypto, { ...identity, certificateFile: o.certificate }, root.value[0]!, authorityAsker(crypto), currentTime(), evidence.value)
  if (!done.ok) return fail(done.fault)
  say(`Renewed: ${o.certificate} is valid until ${formatTime(done.value)}. Whatever uses it takes it at its next start.`)
}

/** As authorities hand lists out, or as a client has kept them. */
function evidenceIn(files: readonly string[]): Result<Evidence> {
  const proofs: RevocationProof[] = []
  for (const file of files) {
    const kept = readKept(file)
    const read = kept.length > 0 ? ok(kept) : readLists(file)
    if (!read.ok) return read
    proofs.push(...read.value)
  }
  return Evidence.of(proofs)
}

/** With whatever opens a sealed key here: the keyring, the service's passphrase, or who sits at the terminal. */
async function readLocked(crypto: CryptoPort, files: { readonly certificateFile: string; readonly keyFile: string }): Promise<ReturnType<typeof readIdentity>> {
  const unlock = unlockFor(files.keyFile, systemPlaces())
  if (!unlock.ok) return unlock
  const passphrase = needsPassphrase(files.keyFile) ? servicePassphrase() ?? await askPassphrase(`Passphrase of ${files.keyFile}: `) : undefined
  return readIdentity(crypto, { ...files, ...unlock.value, ...(passphrase === undefined ? {} : { passphrase }) }, currentTime())
}
