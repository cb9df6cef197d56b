/** `stc key`: how the private key of a client lies on the disk. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { err, ok, type Result } from '../base/result.ts'
import { clientConfig } from '../client/config.ts'
import { besideConfig, readConfig } from '../store/config.ts'
import { type KeyPlaces, needsPassphrase, protectKey, protectKeyIn, sealedInfoOf, systemPlaces, unlockFor } from '../store/protect-key.ts'
import type { KeyUnlock, SealedKeyInfo } from '../store/sealed-key.ts'
import { sealInEnclave } from '../vault/host/process.ts'
import { askPassphrase, servicePassphrase } from './ask.ts'
import { enclaveOf } from './compose-vault.ts'
import { answer, fail, local, say } from './output.ts'

interface ProtectOptions {
  readonly config: string
  readonly keyring?: boolean
  readonly passphraseFile?: string
  readonly anyMachine?: boolean
  readonly enclave?: boolean
}

export function registerKey(program: Command): void {
  const key = program.command('key').description('how the private key of a client lies on the disk')
  key
    .command('protect')
    .description('seal the key file with a passphrase, the system\'s keyring or an enclave, for this machine; also changes the passphrase')
    .requiredOption('-c, --config <file>', 'the client\'s configuration')
    .option('--keyring', 'let the operating system keep what opens it (Secret Service, Keychain, DPAPI)')
    .option('--enclave', 'let the SGX enclave of "vault: enclave" keep it, which alone opens it then; keep another copy elsewhere')
    .option('--passphrase-file <file>', 'take the new passphrase from the first line of this file instead of asking')
    .option('--any-machine', 'let a copy open on other machines too')
    .action((o: ProtectOptions) => protect(o))
  key
    .command('show')
    .description('say how the key file is protected')
    .requiredOption('-c, --config <file>', 'the client\'s configuration')
    .action((o: { readonly config: string }) => {
      const identity = identityIn(o.config)
      if (!identity.ok) return fail(identity.fault)
      const file = identity.value.key
      const info = sealedInfoOf(file)
      if (info === undefined) return answer({ file, sealed: false }, [local(`${file} is not sealed: whoever reads the file has the key ("stc key protect" changes that)`)])
      answer({ file, sealed: true, lock: info.lock, bound: boundOf(info), generation: info.generation }, [local(`${file} is sealed with ${BY[info.lock]}, ${whereOf(info)}; copy number ${info.generation}`)])
    })
}

const BY = { passphrase: 'a passphrase', keyring: 'the system\'s keyring', enclave: 'the enclave' } as const
/** What an enclave seals names no machine: its own key is of this processor and this program. */
const boundOf = ({ lock, bound }: SealedKeyInfo): boolean => bound || lock === 'enclave'
const whereOf = (info: SealedKeyInfo): string => (info.lock === 'enclave' ? 'for this program on this processor alone' : info.bound ? 'for this machine' : 'for any machine')

/** Does it with what opens the file. */
type Unlocked = (work: (unlock: KeyUnlock) => Result<SealedKeyInfo> | Promise<Result<SealedKeyInfo>>) => Promise<Result<SealedKeyInfo>>

/** The enclave takes the key as it lies there and gives it back sealed. */
async function protectByEnclave(config: string, keyFile: string, unlocked: Unlocked, places: KeyPlaces): Promise<void> {
  const read = readConfig(config, clientConfig)
  const enclave = read.ok ? enclaveOf({ ...read.value, vault: 'enclave' }, config) : read
  if (!enclave.ok) return fail(enclave.fault)
  const start = enclave.value!
  const done = await unlocked((unlock) => protectKeyIn((keyText, generation) => sealInEnclave(start, { keyText, keyFile, unlock, generation }), keyFile, places))
  if (!done.ok) return fail(done.fault)
  say(`${keyFile} is sealed with the enclave of ${start.folder}. Another program, and so the next version of it, does not open it: keep another copy of the key elsewhere.`)
}

function identityIn(config: string): Result<{ readonly key: string; readonly passphrase?: string | undefined }> {
  const read = readConfig(config, clientConfig)
  return read.ok ? ok({ key: besideConfig(config, read.value.identity.key), passphrase: read.value.identity.passphrase }) : read
}

async function protect(o: ProtectOptions): Promise<void> {
  const file = identityIn(o.config)
  if (!file.ok) return fail(file.fault)
  const places = systemPlaces()
  const keyFile = file.value.key
  const now = unlockFor(keyFile, places)
  if (!now.ok) return fail(now.fault)
  const given = file.value.passphrase ?? servicePassphrase()
  const ask = (): Promise<string | undefined> => askPassphrase(`Passphrase of ${keyFile} now: `)
  const old = needsPassphrase(keyFile) ? given ?? await ask() : undefined
  const unlocked: Unlocked = async (work) => {
    const done = await work({ ...now.value, ...(old === undefined ? {} : { passphrase: old }) })
    // The key was sealed anew since it was put there: whoever is here knows with what.
    if (done.ok || done.fault.code !== 'IDENTITY_PASSPHRASE_WRONG' || given === undefined) return done
    const typed = await ask()
    return typed === undefined ? done : work({ ...now.value, passphrase: typed })
  }
  if (o.enclave === true) return protectByEnclave(o.config, keyFile, unlocked, places)
  const fresh = o.keyring === true ? ok(undefined) : await newPassphrase(o.passphraseFile)
  if (!fresh.ok) return fail(fresh.fault)
  const done = await unlocked((unlock) => protectKey(keyFile, unlock, { ...(fresh.value === undefined ? {} : { passphrase: fresh.value }), anyMachine: o.anyMachine === true }, places))
  if (!done.ok) return fail(done.fault)
  say(`${keyFile} is sealed with ${BY[done.value.lock]}, ${done.value.bound ? 'for this machine' : 'for any machine'}.`)
  if (fresh.value !== undefined && given !== undefined && given !== fresh.value) say('The passphrase in the configuration or in the service\'s credentials is another one: put the new one there, or take it out.')
  if (done.value.generation === 1) say('What the file held before may still stand somewhere on the disk: a key that was never there unsealed is safer (ask for a new certificate).')
}

const SHORTEST = 8

/** Typed twice, or the first line of a file. */
export async function newPassphrase(file: string | undefined): Promise<Result<string>> {
  let text: string | undefined
  if (file !== undefined) {
    try {
      text = readFileSync(file, 'utf8').split(/\r?\n/)[0]
    } catch {
      return err('IDENTITY_FILE_UNREADABLE', file)
    }
  } else {
    text = await askPassphrase('New passphrase: ')
    if (text !== undefined && text !== (await askPassphrase('Once more: '))) return err('IDENTITY_PASSPHRASE_DIFFERS')
  }
  if (text === undefined) return err('IDENTITY_PASSPHRASE_NEEDED', 'there is no terminal to ask on')
  return text.length >= SHORTEST ? ok(text) : err('IDENTITY_PASSPHRASE_SHORT', `${text.length} characters`)
}
