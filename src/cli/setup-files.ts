/** Where set-up puts an identity: certificates in the clear, the key sealed wherever something can open it again. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { sameBytes } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { replaceFile } from '../store/atomic-file.ts'
import { privateKeyOf } from '../store/private-key.ts'
import { type KeyPlaces, unlockFor, writeSealedKey } from '../store/protect-key.ts'
import type { SortedIdentity } from './setup-identity.ts'

/** Beside its configuration and named after it: two clients in one folder have two identities. */
export function identityFiles(configFile: string): { readonly certificate: string; readonly key: string; readonly anchors: [string] } {
  const { name: stem, ext, base } = path.parse(configFile)
  const name = ext === '.yaml' ? stem : base
  return { certificate: `${name}-certificate.pem`, key: `${name}-key.pem`, anchors: [`${name}-anchors.pem`] }
}

/**
 * What the key lies sealed with. The system's keyring, where there is one: nobody is asked for anything again. Else the passphrase that it
 * came with, asked for at every start. `SETUP_KEY_EXISTS`: another key lies there, and nothing is written. `open`: it came open and there is no keyring; then the file's mode is all that guards it.
 */
export function keepIdentity(configFile: string, own: SortedIdentity, places: KeyPlaces): Result<'keyring' | 'passphrase' | 'open'> {
  const folder = path.dirname(configFile)
  const names = identityFiles(configFile)
  const free = placeFor(configFile, own, places)
  if (!free.ok) return free
  const pem = (list: readonly Uint8Array[]): Uint8Array => Buffer.from(list.map((der) => encodePem('CERTIFICATE', der)).join(''))
  for (const [name, bytes] of [[names.certificate, pem(own.chain)], [names.anchors[0], pem(own.anchors)]] as const) {
    const written = replaceFile(path.join(folder, name), bytes)
    if (!written.ok) return written
  }
  return keepKey(path.join(folder, names.key), own.pkcs8, own.passphrase, places)
}

/** Nothing lies there, or the same key, however it is locked. A key that cannot be opened here is somebody else's: `SETUP_KEY_EXISTS`. */
export function placeFor(configFile: string, own: Pick<SortedIdentity, 'pkcs8' | 'passphrase'>, places: KeyPlaces): Result<void> {
  const file = path.join(path.dirname(configFile), identityFiles(configFile).key)
  if (!existsSync(file)) return ok(undefined)
  const unlock = unlockFor(file, places)
  const there = privateKeyOf(readFileSync(file, 'latin1'), file, { ...(unlock.ok ? unlock.value : {}), ...(own.passphrase === undefined ? {} : { passphrase: own.passphrase }) })
  if (!there.ok) return err('SETUP_KEY_EXISTS', file, there.fault)
  const same = sameBytes(spkiOf(there.value), spkiOf(own.pkcs8))
  there.value.fill(0)
  return same ? ok(undefined) : err('SETUP_KEY_EXISTS', file)
}
const spkiOf = (pkcs8: Uint8Array): Uint8Array => createPublicKey(createPrivateKey({ key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length), format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' })

/** What was kept for a set-up that did not come about. */
export function forgetIdentity(configFile: string): void {
  const { certificate, key, anchors } = identityFiles(configFile)
  for (const name of [key, certificate, ...anchors]) rmSync(path.join(path.dirname(configFile), name), { force: true })
}

/** Sealed with the keyring, else with the passphrase, else open; in place of what the file was. */
export function keepKey(file: string, pkcs8: Uint8Array, passphrase: string | undefined, places: KeyPlaces): Result<'keyring' | 'passphrase' | 'open'> {
  const ring = writeSealedKey(file, pkcs8, {}, places)
  if (ring.ok) return ok('keyring')
  // Any other fault is one of the disk, and no reason to leave the key open on it.
  if (ring.fault.code !== 'IDENTITY_KEYRING') return ring
  if (passphrase === undefined) {
    const written = replaceFile(file, Buffer.from(encodePem('PRIVATE KEY', pkcs8)))
    return written.ok ? ok('open') : written
  }
  const sealed = writeSealedKey(file, pkcs8, { passphrase }, places)
  return sealed.ok ? ok('passphrase') : sealed
}
