/** A backup restored on another machine works, and nothing of a session comes back with it. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { RoomName } from '../../../src/base/brand.ts'
import { ssrc } from '../../../src/base/brand.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { err, must, type Result } from '../../../src/base/result.ts'
import { gather, restoreInto } from '../../../src/cli/backup.ts'
import { clientConfig } from '../../../src/client/config.ts'
import { JournalRecorder } from '../../../src/client/journal/recorder.ts'
import { readAll } from '../../../src/client/journal/reading.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { openBackup, sealBackup } from '../../../src/store/backup-file.ts'
import { readConfig } from '../../../src/store/config.ts'
import { readCertificates } from '../../../src/store/identity-file.ts'
import { privateKeyOf } from '../../../src/store/private-key.ts'
import { type KeyPlaces, protectKey, unlockFor } from '../../../src/store/protect-key.ts'
import type { Vault } from '../../../src/vault/api/calls.ts'
import { createVault } from '../../../src/vault/inside/create.ts'
import type { FrameCommand } from '../../../src/vault/inside/frame-commands.ts'
import { JournalStage, textsOf } from '../../kit/journal.ts'
import { leakyVault } from '../../kit/leaky-vault.ts'
import { REALM } from '../../kit/people.ts'

const CHEAP = 10
const PASSPHRASE = 'correct horse battery'
const codeOf = (r: Result<unknown>): string => (r.ok ? 'ok' : r.fault.code)

/** A client's folder on the first machine: its key sealed for it, everything in its place. */
class Machine {
  readonly stage: JournalStage
  readonly old: string
  readonly config: string
  constructor(t: TestContext) {
    this.stage = new JournalStage(t)
    this.old = path.join(this.stage.folder, 'old')
    this.config = path.join(this.old, 'ann.yaml')
    mkdirSync(this.old)
    const { chain, pkcs8 } = this.stage.ann
    writeFileSync(path.join(this.old, 'ann.pem'), chain.map((c) => encodePem('CERTIFICATE', c)).join(''))
    writeFileSync(path.join(this.old, 'ann.key'), encodePem('PRIVATE KEY', pkcs8))
    // Elsewhere on the machine, as an organisation's authority is.
    writeFileSync(path.join(this.stage.folder, 'ca.pem'), encodePem('CERTIFICATE', this.stage.people.ca.certificate))
    writeFileSync(this.config, `# Ann's\nserver: { host: stc.example.org }\nrealm: ${REALM}\nidentity:\n  certificate: ann.pem\n  key: ann.key\n  anchors: [${path.join(this.stage.folder, 'ca.pem')}]\n`)
    must(protectKey(path.join(this.old, 'ann.key'), {}, { passphrase: 'the old one', logN: CHEAP }, this.places('old machine')))
  }
  places(machine: string): KeyPlaces {
    return { machine, folder: path.join(this.stage.folder, `state of ${machine}`), keyring: { get: () => err('IDENTITY_KEYRING', 'none'), put: () => err('IDENTITY_KEYRING', 'none') } as unknown as KeyPlaces['keyring'] }
  }
  gather() {
    return gather(this.config, this.places('old machine'), async () => 'the old one')
  }
  dataOf(folder: string): string {
    return path.join(folder, 'ann-data', 'ann')
  }
  /** The vault that this folder makes, on that machine. */
  vaultOf(folder: string, machine: string, passphrase: string): Result<Vault> {
    const config = must(readConfig(path.join(folder, 'ann.yaml'), clientConfig))
    const at = (f: string): string => path.resolve(folder, f)
    const keyFile = at(config.identity.key)
    const key = privateKeyOf(readFileSync(keyFile, 'latin1'), keyFile, { ...must(unlockFor(keyFile, this.places(machine))), passphrase })
    if (!key.ok) return key
    return createVault(this.stage, { chain: must(readCertificates(at(config.identity.certificate))), pkcs8: key.value, anchors: must(readCertificates(at(config.identity.anchors[0]!))), realm: config.realm })
  }
}

const policy = { room: 'r' as RoomName, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const

test('on another machine: the identity opens, sealed for that one, and the journal verifies and goes on', async (t) => {
  const m = new Machine(t)
  const journal = path.join(m.dataOf(m.old), 'journal', 'key')
  const write = async (vault: Vault, folder: string, text: string): Promise<void> => {
    const recorder = must(JournalRecorder.open({ vault, folder, now: () => m.stage.nowMs, complain: (c) => assert.fail(c), memory: path.join(m.stage.folder, 'state') }))
    recorder.note({ what: 'started', text })
    await recorder.close('end')
  }
  await write(m.stage.vault(), journal, 'before')
  writeFileSync(path.join(m.dataOf(m.old), 'peers.json'), '{"version":1,"peers":[]}')
  const gathered = must(await m.gather())
  // The client that runs writes on: a head that knew more than the parts would call the journal truncated.
  assert.deepEqual(gathered.files.map((f) => path.basename(f.name)).filter((f) => f === 'head' || f.endsWith('.stj')).map((f) => path.extname(f)), ['', '.stj'])
  const archive = sealBackup(gathered, PASSPHRASE, CHEAP)
  for (const secret of ['PRIVATE KEY', 'stc.example.org', 'peers.json']) assert.ok(!Buffer.from(archive).includes(secret), `${secret} is not readable`)
  assert.ok(!Buffer.from(archive).includes(m.stage.ann.pkcs8))
  const fresh = path.join(m.stage.folder, 'new')
  const backup = must(openBackup(archive, PASSPHRASE, 'b'))
  assert.deepEqual(must(restoreInto(backup, fresh, PASSPHRASE, m.places('new machine'), CHEAP)).sealed, ['ann.key'])
  assert.equal(readFileSync(path.join(fresh, 'ann-data/ann/peers.json'), 'utf8'), '{"version":1,"peers":[]}')
  assert.match(readFileSync(path.join(fresh, 'ann.yaml'), 'utf8'), /# Ann's/)
  assert.doesNotMatch(readFileSync(path.join(fresh, 'ann.key'), 'utf8'), /PRIVATE KEY/, 'not open on the disk')
  assert.equal(codeOf(m.vaultOf(fresh, 'old machine', PASSPHRASE)), 'IDENTITY_OTHER_MACHINE')
  const vault = must(m.vaultOf(fresh, 'new machine', PASSPHRASE))
  assert.equal(must(await vault.call('identity.show', {})).identity.keyId, must(await m.stage.vault().call('identity.show', {})).identity.keyId)
  const restored = path.join(m.dataOf(fresh), 'journal', 'key')
  await write(vault, restored, 'after')
  const entries: Parameters<Parameters<typeof readAll>[2]>[0][] = []
  must(await readAll(vault, restored, (e) => void entries.push(e)))
  assert.deepEqual(textsOf(entries), ['before', 'after'])
  assert.equal(codeOf(restoreInto(backup, fresh, PASSPHRASE, m.places('new machine'), CHEAP)), 'IDENTITY_OUTPUT_EXISTS')
})

test('certificate and key in one file, sealed numbers, passwords of calls: all of it comes back, and no key touches the disk open', async (t) => {
  const m = new Machine(t)
  const both = path.join(m.old, 'ann.pem')
  writeFileSync(both, readFileSync(both, 'latin1') + encodePem('PRIVATE KEY', m.stage.ann.pkcs8))
  must(protectKey(both, {}, { passphrase: 'the old one', logN: CHEAP }, m.places('old machine')))
  writeFileSync(m.config, readFileSync(m.config, 'utf8').replace('ann.key', 'ann.pem'))
  const kept = ['sealed-numbers.json', 'call-passwords.json']
  mkdirSync(m.dataOf(m.old), { recursive: true })
  for (const name of kept) writeFileSync(path.join(m.dataOf(m.old), name), `{"of":"${name}"}`)
  const fresh = path.join(m.stage.folder, 'new')
  const written: string[] = []
  const places = m.places('new machine')
  must(restoreInto(must(await m.gather()), fresh, PASSPHRASE, { ...places, get folder() {
    // Asked for whenever a key is sealed: what lies there at that moment?
    if (existsSync(path.join(fresh, 'ann.pem'))) written.push(readFileSync(path.join(fresh, 'ann.pem'), 'latin1'))
    return places.folder
  } }, CHEAP))
  assert.ok(written.every((text) => !/BEGIN PRIVATE KEY/.test(text)), 'open on the disk')
  must(m.vaultOf(fresh, 'new machine', PASSPHRASE))
  for (const name of kept) assert.equal(readFileSync(path.join(m.dataOf(fresh), name), 'utf8'), `{"of":"${name}"}`)
})

test('a wrong passphrase, changed octets, a file that climbs out: refused', async (t) => {
  const m = new Machine(t)
  const backup = must(await m.gather())
  const archive = sealBackup(backup, PASSPHRASE, CHEAP)
  assert.equal(codeOf(openBackup(archive, 'wrong', 'b')), 'BACKUP_PASSPHRASE')
  for (let i = 0; i < archive.length; i += 97) {
    const bad = archive.slice()
    bad[i]! ^= 1
    assert.notEqual(codeOf(openBackup(bad, PASSPHRASE, 'b')), 'ok', `octet ${i}`)
  }
  assert.equal(codeOf(openBackup(archive.subarray(0, 40), PASSPHRASE, 'b')), 'BACKUP_DAMAGED')
  for (const name of ['../evil', '/etc/evil', 'a/../../evil', 'a//b', 'C:\\evil', '.']) {
    const climbing = sealBackup({ ...backup, files: [{ name, octets: new Uint8Array(1) }] }, PASSPHRASE, CHEAP)
    assert.equal(codeOf(openBackup(climbing, PASSPHRASE, 'b')), 'BACKUP_DAMAGED', name)
  }
})

test('in the middle of a conference: no key, nonce or epoch of it is in the backup, and none comes back', async (t) => {
  const m = new Machine(t)
  const { stage } = m
  const leaked: FrameCommand[] = []
  const { vault, group } = leakyVault(stage, { chain: stage.ann.chain, pkcs8: stage.ann.pkcs8, anchors: [stage.people.ca.certificate], realm: REALM }, (c) => void leaked.push(c))
  const { view } = must(await vault.call('room.create', { policy, generation: 1 }))
  must(await vault.call('room.announce', { session: view.session, ssrc: ssrc(9) }))
  const recorder = must(JournalRecorder.open({ vault, folder: path.join(m.dataOf(m.old), 'journal', 'key'), now: () => stage.nowMs, complain: (c) => assert.fail(c), memory: path.join(stage.folder, 'state') }))
  recorder.note({ what: 'started', text: 'in a call' })
  await recorder.settled()
  const { state } = group(view.session)
  const baseKeys = leaked.flatMap((c) => (c.op === 'epoch' ? [c.baseKey] : []))
  assert.ok(baseKeys.length > 0)
  const secrets: Uint8Array[] = [...baseKeys, state.signaturePrivateKey, ...Object.values(state.keySchedule).filter((v) => v instanceof Uint8Array)]
  assert.ok(secrets.length >= 6 && secrets.every((s) => s.length >= 16), 'what there is to look for')
  const backup = must(await m.gather())
  // The whole of what is inside, in the clear, in the forms in which a key could hide.
  for (const f of backup.files) for (const s of secrets) {
    assert.ok(!Buffer.from(f.octets).includes(s), f.name)
    for (const form of ['hex', 'base64'] as const) assert.ok(!Buffer.from(f.octets).toString('latin1').includes(Buffer.from(s).toString(form)), f.name)
  }
  // The journal is sealed: what stands in it is looked at too.
  const told: string[] = []
  must(await readAll(vault, path.join(m.dataOf(m.old), 'journal', 'key'), (e) => void told.push(JSON.stringify(e.entry, (_, v: unknown) => (v instanceof Uint8Array ? toHex(v) : v)))))
  assert.ok(told.some((x) => x.includes('"entered"') || x.includes('in a call')))
  for (const text of told) for (const s of secrets) assert.ok(!text.includes(toHex(s)))
  assert.deepEqual(backup.files.map((f) => f.name).filter((n) => !n.includes('/journal/')).sort(), ['ann.key', 'ann.pem', 'ann.yaml', 'files/ca.pem'])
  // The same room again from the backup: another group, other keys.
  const fresh = path.join(stage.folder, 'new')
  must(restoreInto(backup, fresh, PASSPHRASE, m.places('new machine'), CHEAP))
  const again = must(m.vaultOf(fresh, 'new machine', PASSPHRASE))
  assert.equal(codeOf(await again.call('room.announce', { session: view.session, ssrc: ssrc(9) })), 'VAULT_SESSION_UNKNOWN')
  const second = must(await again.call('room.create', { policy, generation: 1 }))
  assert.notEqual(toHex(second.view.groupId), toHex(view.groupId))
  assert.notEqual(second.view.securityCode, view.securityCode)
})
