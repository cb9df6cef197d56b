/**
 * `stc backup` and `stc restore`: a client's configuration, identity, policies, known peers and numbers, passwords of calls, and journal, and nothing else.
 * What goes in is named here file by file; keys of groups and sessions are in no file at all.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { parseDocument } from 'yaml'
import { type Result, err, ok } from '../base/result.ts'
import { type ClientConfig, clientConfig, linesOf } from '../client/config.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { replaceFile } from '../store/atomic-file.ts'
import { type Backup, type BackupFile, openBackup, sealBackup } from '../store/backup-file.ts'
import { besideConfig, readConfig } from '../store/config.ts'
import { privateKeyOf } from '../store/private-key.ts'
import { certificatesOf, type KeyPlaces, type Protection, sealedInfoOf, systemPlaces, unlockFor, writeSealedKey } from '../store/protect-key.ts'
import { askPassphrase } from './ask.ts'
import { newPassphrase } from './key.ts'
import { complain, fail, say } from './output.ts'
import { dataFiles } from './room-memory.ts'

export function registerBackup(program: Command): void {
  program.command('backup').description('put configuration, identity, policies, known peers and numbers, passwords of calls, and journal into one file, sealed with a passphrase')
    .argument('<file>', 'where to').requiredOption('-c, --config <file>', 'the client\'s configuration')
    .option('--passphrase-file <file>', 'take the passphrase from the first line of this file instead of asking')
    .action(backup)
  program.command('restore').description('put what a backup holds into a folder, on this machine or another')
    .argument('<file>', 'the backup').requiredOption('--into <folder>', 'where to; nothing is overwritten')
    .option('--passphrase-file <file>', 'take the passphrase from the first line of this file instead of asking')
    .action(restore)
}

async function backup(file: string, o: { readonly config: string; readonly passphraseFile?: string }): Promise<void> {
  if (existsSync(file)) return fail(err('IDENTITY_OUTPUT_EXISTS', file).fault)
  const gathered = await gather(o.config, systemPlaces(), async (keyFile) => askPassphrase(`Passphrase of ${keyFile}: `))
  if (!gathered.ok) return fail(gathered.fault)
  const passphrase = await newPassphrase(o.passphraseFile)
  if (!passphrase.ok) return fail(passphrase.fault)
  const written = replaceFile(file, sealBackup(gathered.value, passphrase.value))
  for (const f of gathered.value.files) f.octets.fill(0)
  if (!written.ok) return fail(written.fault)
  say(`Wrote ${file}: ${gathered.value.files.map((f) => f.name).join(', ')}.`)
  say('Whoever has the file and its passphrase can be you.')
}

async function restore(file: string, o: { readonly into: string; readonly passphraseFile?: string }): Promise<void> {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (e) {
    return fail(err('STORE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`).fault)
  }
  const passphrase = o.passphraseFile === undefined ? await askPassphrase(`Passphrase of ${file}: `) : firstLine(o.passphraseFile)
  if (passphrase === undefined) return fail(err('IDENTITY_PASSPHRASE_NEEDED', file).fault)
  const opened = openBackup(bytes, passphrase, file)
  if (!opened.ok) return fail(opened.fault)
  const done = restoreInto(opened.value, path.resolve(o.into), passphrase, systemPlaces())
  if (!done.ok) return fail(done.fault)
  say(`Restored what was kept on ${opened.value.made}; start it with:  stc client -c ${path.join(o.into, opened.value.config)}`)
  if (done.value.sealed.length > 0) say(`${done.value.sealed.join(', ')}: sealed for this machine, with the backup's passphrase ("stc key protect" changes that).`)
  complain('Stop the client on the old machine for good: one identity in two places is one too many.')
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0]
  } catch {
    return undefined
  }
}

/** Every file that a client needs to be what it was. Keys are taken out of what only this machine opens. */
export async function gather(configFile: string, places: KeyPlaces, ask: (keyFile: string) => Promise<string | undefined>): Promise<Result<Backup>> {
  const config = readConfig(configFile, clientConfig)
  if (!config.ok) return config
  const files = new Map<string, BackupFile>()
  const names = new Map<string, string>()
  const document = parseDocument(readFileSync(configFile, 'utf8'))
  const root = path.dirname(path.resolve(configFile))
  const take = (file: string): Result<string> => {
    const from = besideConfig(configFile, file)
    const known = names.get(from)
    if (known !== undefined) return ok(known)
    const inside = path.relative(root, from).split(path.sep).join('/')
    const name = inside.startsWith('..') || path.isAbsolute(inside) ? unused(`files/${path.basename(from)}`, files) : inside
    const octets = read(from)
    if (!octets.ok) return octets
    names.set(from, name)
    files.set(name, { name, octets: octets.value })
    return ok(name)
  }
  for (const { at, file } of namedFiles(config.value)) {
    const name = take(file)
    if (!name.ok) return name
    document.setIn(at, name.value)
  }
  for (const { identity } of linesOf(config.value)) {
    const keyFile = besideConfig(configFile, identity.key)
    const freed = await freeKey(keyFile, places, ask)
    if (!freed.ok) return freed
    const name = names.get(keyFile)!
    if (freed.value !== undefined) files.set(name, { name, octets: freed.value, sealed: true })
  }
  if (config.value.data !== undefined) document.setIn(['data'], 'data')
  const data = config.value.data === undefined ? `${path.parse(configFile).name}-data` : 'data'
  for (const line of linesOf(config.value)) {
    const { folder, rooms, peers, numbers, passwords, journals } = dataFiles(line, configFile)
    const below = (file: string): string => `${data}/${path.basename(folder)}/${path.relative(folder, file).split(path.sep).join('/')}`
    for (const file of each([rooms, peers, numbers, passwords], journalFiles(journals))) {
      if (!existsSync(file)) continue
      const octets = read(file)
      if (!octets.ok) return octets
      files.set(below(file), { name: below(file), octets: octets.value })
    }
  }
  const name = path.basename(configFile)
  files.set(name, { name, octets: Buffer.from(String(document)) })
  return ok({ made: new Date().toISOString(), config: name, files: [...files.values()] })
}

type Place = readonly (string | number)[]

/** Files that the configuration names, and where. */
function namedFiles(c: ClientConfig): { readonly at: Place; readonly file: string }[] {
  const identity = (i: ClientConfig['identity'], at: Place) => [
    { at: [...at, 'certificate'], file: i.certificate }, { at: [...at, 'key'], file: i.key }, ...i.anchors.map((file, n) => ({ at: [...at, 'anchors', n], file })),
    ...i.revocation.lists.map((file, n) => ({ at: [...at, 'revocation', 'lists', n], file })),
  ]
  const phones = (all: ClientConfig['phones'], at: Place) => all.flatMap((p, n) => (p.tls === undefined ? [] : [{ at: [...at, n, 'tls', 'certificate'], file: p.tls.certificate }, { at: [...at, n, 'tls', 'key'], file: p.tls.key }]))
  const providers = typeof c.upstream === 'object' ? c.upstream.providers : []
  return [
    ...identity(c.identity, ['identity']), ...phones(c.phones, ['phones']),
    ...c.lines.flatMap((l, n) => [...identity(l.identity, ['lines', n, 'identity']), ...phones(l.phones, ['lines', n, 'phones'])]),
    ...(c.enclaves?.collateral ?? []).map((file, n) => ({ at: ['enclaves', 'collateral', n], file })),
    ...providers.flatMap((p, n) => p.anchors.map((file, m) => ({ at: ['upstream', 'providers', n, 'anchors', m], file }))),
  ]
}

/**
 * One folder for each key; evidence that was set aside stays where it is. A client that runs may write a record at any moment: each file is read
 * when it is named, and the head first, for parts may know more than it does and not less.
 */
function* journalFiles(folder: string): Generator<string> {
  if (!existsSync(folder)) return
  for (const key of readdirSync(folder, { withFileTypes: true }).filter((f) => f.isDirectory())) {
    yield path.join(folder, key.name, 'head')
    for (const f of readdirSync(path.join(folder, key.name))) if (f.endsWith('.stj')) yield path.join(folder, key.name, f)
  }
}
function* each<T>(...all: readonly Iterable<T>[]): Generator<T> {
  for (const some of all) yield* some
}

/** Undefined: the file opens anywhere as it is. */
async function freeKey(keyFile: string, places: KeyPlaces, ask: (keyFile: string) => Promise<string | undefined>): Promise<Result<Uint8Array | undefined>> {
  const info = sealedInfoOf(keyFile)
  if (info === undefined) return ok(undefined)
  const unlock = unlockFor(keyFile, places)
  if (!unlock.ok) return unlock
  const passphrase = info.lock === 'passphrase' ? await ask(keyFile) : undefined
  const text = readFileSync(keyFile, 'latin1')
  const key = privateKeyOf(text, keyFile, { ...unlock.value, ...(passphrase === undefined ? {} : { passphrase }) })
  if (!key.ok) return key
  const pem = Buffer.from(certificatesOf(text) + encodePem('PRIVATE KEY', key.value))
  key.value.fill(0)
  return ok(pem)
}

/** All of it or a fault before anything is written; keys that were sealed are sealed again, for this machine, before they touch the disk open. */
export function restoreInto(b: Backup, folder: string, passphrase: string, places: KeyPlaces, logN?: number): Result<{ readonly sealed: readonly string[] }> {
  const taken = b.files.find((f) => existsSync(path.join(folder, f.name)))
  if (taken !== undefined) return err('IDENTITY_OUTPUT_EXISTS', path.join(folder, taken.name))
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (e) {
    return err('STORE_UNWRITABLE', `${folder} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
  const sealed: string[] = []
  for (const f of b.files) {
    const file = path.join(folder, f.name)
    const done = f.sealed === true ? sealHere(file, f.octets, { passphrase, ...(logN === undefined ? {} : { logN }) }, places) : replaceFile(file, f.octets)
    if (!done.ok) return done
    if (f.sealed === true) sealed.push(f.name)
  }
  return ok({ sealed })
}

function sealHere(file: string, octets: Uint8Array, protection: Protection, places: KeyPlaces): Result<unknown> {
  const text = Buffer.from(octets).toString('latin1')
  const key = privateKeyOf(text, file, {})
  if (!key.ok) return key
  const done = writeSealedKey(file, key.value, protection, places, certificatesOf(text))
  key.value.fill(0)
  return done
}

function read(file: string): Result<Uint8Array> {
  try {
    return ok(Uint8Array.from(readFileSync(file)))
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' ? err('IDENTITY_FILE_MISSING', file) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
}

function unused(name: string, files: ReadonlyMap<string, unknown>): string {
  let free = name
  for (let n = 2; files.has(free); n++) free = `${name}-${n}`
  return free
}
