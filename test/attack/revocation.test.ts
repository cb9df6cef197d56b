/** A revoked member, with a server and a second authority that help it to stay. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Der, unixTime } from '../../src/base/brand.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import type { Signer } from '../../src/crypto/port.ts'
import type { RevocationProof } from '../../src/model/trust.ts'
import { createCa, issueRevocationList } from '../../src/pki/authority.ts'
import { authorityKeyId, signRevocationList } from '../../src/pki/certificate.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import type { Vault } from '../../src/vault/api/calls.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { People, REALM } from '../kit/people.ts'
import { hear, ROOM, seal, type Seat, VaultRoom } from '../kit/vault-room.ts'

const AT = 'http://ca.test.example/list.crl'

const DAY_S = 86_400

/** What claims to be of the stage's authority, and is signed by somebody else. */
function forgedList({ people, room }: Stage, signer: Signer, ahead: number, revoked: readonly string[] = []): Der {
  const at = (seconds: number) => unixTime(room.clock.unix() + seconds)
  return signRevocationList(signer, { issuer: people.ca.subject, thisUpdate: at(ahead), nextUpdate: at(ahead + DAY_S), revoked: revoked.map((serial) => ({ serial: fromHex(serial)!, when: at(0) })), extensions: [authorityKeyId(people.ca.keyId)] })
}

/** A room of people whose authority publishes a list; the vaults know the first one, which revokes nobody. */
class Stage {
  readonly room = new VaultRoom(new People(new VaultRoom().clock.unix(), undefined, 'Test CA', AT))
  readonly #persons = new Map<string, ReturnType<People['person']>>()

  get people(): People {
    return this.room.people
  }
  list(number: number, ...revoked: readonly string[]): RevocationProof {
    const now = this.room.clock.unix()
    return { kind: 'crl', der: issueRevocationList(this.people.ca, revoked.map((name) => ({ serial: this.serial(name), when: now })), number, now) }
  }
  serial(name: string): string {
    return must(parseCertificate(this.#persons.get(name)!.chain[0]!)).serial
  }
  vault(name: string, proofs: readonly RevocationProof[] = [this.list(1)]): Vault {
    return must(this.start(name, proofs))
  }
  start(name: string, proofs: readonly RevocationProof[]): ReturnType<typeof createVault> {
    const person = this.#persons.get(name) ?? this.people.person(name)
    this.#persons.set(name, person)
    return createVault({ crypto: this.people.crypto, clock: this.room.clock }, { chain: person.chain, pkcs8: person.pkcs8, anchors: [this.people.ca.certificate], realm: REALM, revocation: { proofs } })
  }
  async sit(name: string): Promise<Seat> {
    return this.room.enter(this.vault(name))
  }
}

const learn = async (seat: Seat, ...proofs: readonly RevocationProof[]) => must(await seat.vault.call('revocation.update', { proofs }))

test('a revoked member is not heard from the moment a list says so, and nothing is sealed for it after ten seconds', async () => {
  const stage = new Stage()
  const [ann, eve] = [await stage.sit('Ann'), await stage.sit('Eve')]
  assert.equal(await hear(ann, await seal(eve, 160)), 'heard', 'the control')
  assert.deepEqual(await learn(ann, stage.list(2, 'Eve')), { changed: true, refused: [] })
  assert.equal(await hear(ann, await seal(eve, 320)), 'VAULT_MEMBER_ENDED')
  const { view } = must(await ann.vault.call('room.check', { session: ann.session }))
  assert.deepEqual([view.expired, view.revoked], [[eve.view.ownLeaf], [eve.view.ownLeaf]])
  assert.equal((await seal(ann, 160)).fault, undefined, 'an honest server needs a moment to have it removed')
  await stage.room.clock.advance(12_000)
  assert.equal((await seal(ann, 320)).fault, 'VAULT_MEMBER_STAYS')
  await stage.room.commit(ann, [], [{ leaf: eve.view.ownLeaf, reason: 'unreachable' }])
  assert.equal((await seal(ann, 480)).fault, undefined)
})

test('a revoked member commits nothing and is not let in again', async () => {
  const stage = new Stage()
  const [ann, eve] = [await stage.sit('Ann'), await stage.sit('Eve')]
  await learn(ann, stage.list(2, 'Eve'))
  const update = must(await eve.vault.call('room.propose', { session: eve.session, adds: [], removes: [] }))
  assert.equal(codeOf(await ann.vault.call('room.apply', { session: ann.session, commit: update.commit, removals: [] })), 'MLS_CREDENTIAL')
  const again = must(await eve.vault.call('room.request', { room: ROOM, suite: 'x25519' }))
  const refused = must(await ann.vault.call('room.propose', { session: ann.session, adds: [{ id: 7, keyPackage: again.keyPackage }], removes: [] })).refused
  assert.match(refused[0]!.message, /IDENTITY_REVOKED/)
})

test('a server that keeps lists back: whose certificate names one comes in with a fresh one only', async () => {
  const stage = new Stage()
  const vault = stage.vault('Ann', [])
  const policy = { room: ROOM, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const
  const alone = await vault.call('room.create', { policy, generation: 1 })
  assert.match(alone.ok ? 'created' : alone.fault.message, /IDENTITY_REVOCATION_UNKNOWN/)
  must(await vault.call('revocation.update', { proofs: [stage.list(1)] }))
  const ann = await stage.room.enter(vault)
  const bob = stage.vault('Bob')
  const ask = async () => {
    const request = must(await bob.call('room.request', { room: ROOM, suite: 'x25519' }))
    return must(await ann.vault.call('room.propose', { session: ann.session, adds: [{ id: 1, keyPackage: request.keyPackage }], removes: [] })).refused[0]?.message
  }
  assert.equal(await ask(), undefined)
  must(await ann.vault.call('room.abandon', { session: ann.session }))
  await stage.room.clock.advance(8 * 86_400_000)
  const late = await ask()
  assert.match(late ?? 'let in', /IDENTITY_REVOCATION_STALE/, 'a list that is kept back runs out')
})

test('lists that are rolled back, forged by a second authority of the same name, or garbage: the newest true one stays', async () => {
  const stage = new Stage()
  const [ann, eve] = [await stage.sit('Ann'), await stage.sit('Eve')]
  const before = stage.list(1)
  await stage.room.clock.advance(1000)
  await learn(ann, stage.list(2, 'Eve'))
  const second = createCa(stage.people.crypto, { name: 'Test CA', now: stage.room.clock.unix() })
  // In the name and with the key identifier of the true one, and from the future, so that it looks like the newest.
  const forged = (number: number): RevocationProof => ({ kind: 'crl', der: forgedList(stage, second.signer, number % 2 === 0 ? 80 * 365 * DAY_S : number) })
  const learnt = await learn(ann, before, forged(3), forged(4), forged(5), forged(6), forged(7), { kind: 'crl', der: new Uint8Array(9) }, { kind: 'ocsp', der: new Uint8Array(9) })
  assert.deepEqual(learnt.refused, [...Array<string>(5).fill('IDENTITY_REVOCATION_BAD_SIGNATURE'), 'IDENTITY_REVOCATION_MALFORMED', 'IDENTITY_OCSP_MALFORMED'])
  assert.equal(await hear(ann, await seal(eve, 160)), 'VAULT_MEMBER_ENDED')
  const again = must(await eve.vault.call('room.request', { room: ROOM, suite: 'x25519' }))
  assert.equal(must(await ann.vault.call('room.propose', { session: ann.session, adds: [{ id: 7, keyPackage: again.keyPackage }], removes: [] })).refused.length, 1)
  // And the reverse: a list of the second authority that revokes everybody revokes nobody.
  const bob = await new Promise<Seat>((resolve) => resolve(stage.sit('Bob')))
  await learn(ann, { kind: 'crl', der: issueRevocationList(second, [{ serial: stage.serial('Bob'), when: stage.room.clock.unix() }], 9, stage.room.clock.unix()) })
  assert.equal(await hear(ann, await seal(bob, 160)), 'heard')
  assert.equal(toHex(second.keyId) === toHex(stage.people.ca.keyId), false)
})

test('a certificate that ends in the middle of a call', async () => {
  const stage = new Stage()
  const ann = await stage.sit('Ann')
  const person = stage.people.person('Eve', { lifetimeDays: 60 / 86_400 })
  const eve = await stage.room.enter(must(createVault({ crypto: stage.people.crypto, clock: stage.room.clock }, { chain: person.chain, pkcs8: person.pkcs8, anchors: [stage.people.ca.certificate], realm: REALM, revocation: { proofs: [stage.list(1)] } })))
  assert.equal(await hear(ann, await seal(eve, 160)), 'heard')
  const frame = await seal(eve, 320)
  await stage.room.clock.advance(62_000)
  assert.equal(await hear(ann, frame), 'VAULT_MEMBER_ENDED')
  const { view } = must(await ann.vault.call('room.check', { session: ann.session }))
  assert.deepEqual([view.expired, view.revoked], [[eve.view.ownLeaf], []])
})

test('forged lists lock nobody out: not at the start, not in a room, and not whoever brings the true one later', async () => {
  const stage = new Stage()
  const stranger = createCa(stage.people.crypto, { name: 'Stranger', now: stage.room.clock.unix() }).signer
  const forgeries = Array.from({ length: 70 }, (_, i): RevocationProof => ({ kind: 'crl', der: forgedList(stage, stranger, i % 2 === 0 ? -i : 80 * 365 * DAY_S + i) }))
  assert.equal(codeOf(await stage.start('Ann', forgeries.slice(0, 64))), 'accepted', 'kept by a client that knew no better')
  const [ann, eve] = [await stage.room.enter(stage.vault('Ann', forgeries.slice(0, 60))).catch((e: unknown) => String(e)), stage.vault('Eve', [])]
  assert.match(String(ann), /IDENTITY_REVOCATION/, 'no true list is at hand, and the rule asks for one')
  const late = stage.vault('Late', [])
  must(await late.call('revocation.update', { proofs: forgeries }))
  must(await late.call('revocation.update', { proofs: [stage.list(1)] }))
  must(await late.call('revocation.update', { proofs: forgeries }))
  const seat = await stage.room.enter(late)
  must(await eve.call('revocation.update', { proofs: [stage.list(2)] }))
  assert.equal(await hear(seat, await seal(await stage.room.enter(eve), 160)), 'heard')
  assert.equal((await learn(seat, stage.list(3, 'Eve'))).changed, true)
})

test('who was away for longer than a list holds starts again, and who was revoked meanwhile does not', async () => {
  const stage = new Stage()
  stage.vault('Ann')
  const [old, revoking] = [stage.list(1), stage.list(2, 'Ann')]
  await stage.room.clock.advance(9 * DAY_S * 1000)
  const again = must(stage.start('Ann', [old]))
  assert.match(String(await stage.room.enter(again).catch((e: unknown) => e)), /IDENTITY_REVOCATION_STALE/, 'others are judged by what is fresh, and so is a room')
  must(await again.call('revocation.update', { proofs: [stage.list(3)] }))
  await stage.room.enter(again)
  assert.equal(codeOf(stage.start('Ann', [old, revoking])), 'IDENTITY_REVOKED', 'an outdated list still revokes what it names')
})
