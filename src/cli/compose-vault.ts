/** The vault of a client, from its configuration: a process of its own, or threads of this one. */
import { type Der, unixTime } from '../base/brand.ts'
import { err, type Fault, makeFault, ok, type Result } from '../base/result.ts'
import type { ClientConfig } from '../client/config.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { RevocationProof } from '../model/trust.ts'
import { workerUrl } from '../media/worker-url.ts'
import { besideConfig } from '../store/config.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { type IdentityFiles, type OwnCertificate, readAnchors, readCertificates, readIdentity, readOwnCertificate } from '../store/identity-file.ts'
import { readCollateral } from '../store/collateral-file.ts'
import { readLists } from '../store/revocation-file.ts'
import { rememberGeneration } from '../store/key-memory.ts'
import { needsPassphrase, sealedInfoOf, systemPlaces, unlockFor } from '../store/protect-key.ts'
import type { KeyUnlock } from '../store/sealed-key.ts'
import type { VaultReport } from '../vault/api/border.ts'
import type { VaultOptions } from '../vault/api/options.ts'
import { type Bundle, bundleIn, findBundle } from '../vault/host/bundle.ts'
import type { HostVault } from '../vault/host/hosted.ts'
import { keepVault } from '../vault/host/keep.ts'
import { type EnclaveStart, startVaultProcess } from '../vault/host/process.ts'
import { startVault } from '../vault/host/start.ts'
import { askPassphrase, servicePassphrase } from './ask.ts'

export interface ClientVault {
  readonly vault: HostVault
  /** Resolves when there is a vault, after one has died; at once otherwise. */
  up(): Promise<void>
  /** What its process says of itself; none: it has no process. */
  readonly report?: VaultReport
  /** Of the process that runs now. */
  pid(): number | undefined
  /** What whoever runs it should know, in sentences. */
  readonly warnings: readonly string[]
}

export interface VaultExtras {
  /** What is remembered of rooms, as of now: asked for at every start of a vault. */
  readonly memory?: () => Uint8Array
  /** Statements about revocation from before, as of now, so many at most. */
  readonly proofs?: (room: number) => readonly RevocationProof[]
  /** Only to read the journal, of a certificate that may have ended or been revoked. */
  readonly journalOnly?: boolean
  /** Another program than our own: tests. */
  readonly bundle?: Bundle
  /** The vault has died; `final`: there will be no other. */
  readonly onDeath?: (fault: Fault, final: boolean) => void
}

export async function vaultFor(config: ClientConfig, configFile: string, crypto: CryptoPort, extras: VaultExtras): Promise<Result<ClientVault>> {
  const { certificate, key, passphrase } = config.identity
  const keyFile = besideConfig(configFile, key)
  const unlock = unlockFor(keyFile, systemPlaces())
  if (!unlock.ok) return unlock
  const anchors = trusted(config, configFile)
  if (!anchors.ok) return anchors
  const { rule, lists } = config.identity.revocation
  const proofs: RevocationProof[] = []
  for (const file of lists) {
    const read = readLists(besideConfig(configFile, file))
    if (!read.ok) return read
    proofs.push(...read.value)
  }
  const enclaves = enclavePolicy(config, configFile)
  if (!enclaves.ok) return enclaves
  const { shownName } = config.identity
  const trust = { anchors: anchors.value, realm: config.realm, kind: config.kind, revocation: { rule, proofs }, ...enclaves.value, ...(shownName === undefined ? {} : { shownName }) }
  const enclave = enclaveOf(config, configFile)
  if (!enclave.ok) return enclave
  if (enclave.value !== undefined && sealedInfoOf(keyFile)?.lock !== 'enclave') return err('IDENTITY_ENCLAVE_UNSEALED', keyFile)
  const start = (unlocked: KeyUnlock): Promise<Result<ClientVault>> => {
    const files = { certificateFile: besideConfig(configFile, certificate), keyFile, ...unlocked }
    return config.vault === 'in-process' ? inThisProcess(files, trust, crypto, extras) : inProcessOfItsOwn(files, trust, extras, enclave.value)
  }
  const given = passphrase ?? servicePassphrase()
  const made = given === undefined && needsPassphrase(keyFile) ? await startAsking(keyFile, unlock.value, start) : await start({ ...unlock.value, ...(given === undefined ? {} : { passphrase: given }) })
  // Only now is the number in the file known to be true.
  const info = sealedInfoOf(keyFile)
  if (made.ok && info !== undefined) rememberGeneration(keyFile, info.generation)
  return made
}

const TRIES = 3
/** The passphrase stands nowhere: the user is asked, on the terminal where there is one. */
async function startAsking(keyFile: string, unlock: KeyUnlock, start: (unlock: KeyUnlock) => Promise<Result<ClientVault>>): Promise<Result<ClientVault>> {
  for (let again = 1; ; again++) {
    const passphrase = await askPassphrase(`Passphrase of ${keyFile}: `)
    const made = await start({ ...unlock, ...(passphrase === undefined ? {} : { passphrase }) })
    if (made.ok || made.fault.code !== 'IDENTITY_PASSPHRASE_WRONG' || again === TRIES) return made
    process.stderr.write('That does not open it. Try again.\n')
  }
}

type Trust = Pick<VaultOptions, 'anchors' | 'realm' | 'kind' | 'revocation' | 'shownName' | 'enclaves'>

/** Undefined: no enclave is wanted. */
export function enclaveOf({ vault, enclave }: Pick<ClientConfig, 'vault' | 'enclave'>, configFile: string): Result<EnclaveStart | undefined> {
  if (vault !== 'enclave') return ok(undefined)
  return enclave === undefined ? err('CONFIG_WRONG', 'vault: enclave needs enclave.folder') : ok({ ...enclave, folder: besideConfig(configFile, enclave.folder) })
}

function enclavePolicy({ enclaves }: ClientConfig, configFile: string): Result<Pick<VaultOptions, 'enclaves'>> {
  if (enclaves === undefined) return ok({})
  const collateral: Uint8Array[] = []
  for (const file of enclaves.collateral) {
    const read = readCollateral(besideConfig(configFile, file))
    if (!read.ok) return read
    collateral.push(read.value)
  }
  return ok({ enclaves: { ...enclaves, collateral } })
}

/** Of the vault's options. */
const PROOFS_LIMIT = 64
/** What is asked for anew at every start. */
function remembered({ memory, proofs, journalOnly }: VaultExtras, { revocation = {} }: Pick<VaultOptions, 'revocation'>): Pick<VaultOptions, 'memory' | 'revocation' | 'journalOnly'> {
  if (journalOnly === true) return { journalOnly }
  const configured = revocation.proofs ?? []
  return { ...(memory === undefined ? {} : { memory: memory() }), revocation: { ...revocation, proofs: [...configured, ...(proofs?.(PROOFS_LIMIT - configured.length) ?? [])] } }
}
const now = () => unixTime(Math.floor(Date.now() / 1000))

/** The file of the key is opened for the vault, and never read here. */
async function inProcessOfItsOwn(files: IdentityFiles, trust: Trust, extras: VaultExtras, enclave: EnclaveStart | undefined): Promise<Result<ClientVault>> {
  const own = readOwnCertificate(files, extras.journalOnly === true ? 'whenever' : now())
  if (!own.ok) return own
  const bundle = extras.bundle !== undefined ? ok(extras.bundle) : enclave === undefined ? findBundle() : bundleIn(enclave.folder)
  if (!bundle.ok) return bundle
  const { keyFile, certificateFile: _, ...unlock } = files
  const options = { bundle: bundle.value, chain: own.value.chain, ...trust, keyFile, unlock, ...(enclave === undefined ? {} : { enclave }) }
  const kept = await keepVault({ start: (firstSession) => startVaultProcess({ ...options, firstSession, ...remembered(extras, trust) }), onDeath: (fault, final) => extras.onDeath?.(fault, final) })
  if (!kept.ok) return kept
  const { vault, first } = kept.value
  const missing = first.report.locks.filter((l) => !l.had).map((l) => `the vault runs without "${l.name}": ${l.detail}`)
  return ok({ vault, up: () => vault.up(), report: first.report, pid: () => vault.pid, warnings: [...exposed(own.value.keyExposed, files), ...endsSoon(own.value), ...missing] })
}

/** The key goes to the vault's threads and is wiped here. */
async function inThisProcess(files: IdentityFiles, trust: Trust, crypto: CryptoPort, extras: VaultExtras): Promise<Result<ClientVault>> {
  const own = readIdentity(crypto, files, extras.journalOnly === true ? 'whenever' : now())
  if (!own.ok) return own
  using identity = own.value
  const inside = new URL('../vault/inside/', import.meta.url).href
  const vault = await startVault({
    chain: identity.chain, pkcs8: identity.pkcs8.reveal().slice(), ...trust, ...remembered(extras, trust), keyProtection: 'in-process',
    control: workerUrl('control-worker', `${inside}${ownEnding()}`), frames: workerUrl('frames-worker', `${inside}${ownEnding()}`),
  })
  if (!vault.ok) return vault
  void vault.value.died.then((reason) => extras.onDeath?.(makeFault('VAULT_DEAD', reason), true))
  return ok({ vault: vault.value, up: async () => {}, pid: () => undefined, warnings: [...exposed(identity.keyExposed, files), ...endsSoon(identity)] })
}

/** `x.ts` in a checkout, `x.js` when compiled. */
const ownEnding = (): string => (import.meta.url.endsWith('.ts') ? 'x.ts' : 'x.js')

const exposed = (is: boolean, { keyFile }: IdentityFiles): string[] => (is ? [`others on this machine can read ${keyFile}: take their permission away (chmod 600)`] : [])

const SOON_S = 14 * 86_400
/** Renewal has failed for long by then, or nobody renews it. */
const endsSoon = ({ certificate }: Pick<OwnCertificate, 'certificate'>): string[] => (certificate.notAfter - now() < SOON_S ? [`your certificate ends on ${formatTime(certificate.notAfter)}: renew it ("stc identity renew", or whoever gave it to you)`] : [])

function trusted(config: ClientConfig, configFile: string): Result<Der[]> {
  const files = config.identity.anchors.map((a) => besideConfig(configFile, a))
  const checked = readAnchors(files)
  if (!checked.ok) return checked
  const all: Der[] = []
  for (const file of files) {
    const some = readCertificates(file)
    if (!some.ok) return some
    all.push(...some.value)
  }
  return ok(all)
}
