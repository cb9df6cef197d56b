/**
 * What identities cost a join: the same join, step by step in one process, alternately without anything and with a policy that lists two
 * hundred names and a revocation list of ten thousand certificates in every vault.
 */
import { type RoomName, unixTime } from '../src/base/brand.ts'
import { toHex } from '../src/base/bytes.ts'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import type { NewRoom } from '../src/model/policy.ts'
import type { RevocationProof } from '../src/model/trust.ts'
import { realScheduler } from '../src/net/scheduler.ts'
import { issueRevocationList } from '../src/pki/authority.ts'
import type { Vault } from '../src/vault/api/calls.ts'
import { createVault } from '../src/vault/inside/create.ts'
import { People, REALM } from '../test/kit/people.ts'
import { numberOption, quantile, round } from './_args.ts'
import { run as pki } from './pki.ts'
import type { BenchTable } from './run.ts'

const MEMBERS = 10

interface Loaded {
  readonly names: number
  readonly revoked: number
}

/** Times of one join each: request, the nominee's commit, another member's check, the joiner's check of everybody. */
class Meeting {
  readonly #people: People
  readonly #proofs: readonly RevocationProof[]
  readonly #policy: NewRoom
  readonly #clock = realScheduler()
  readonly #crypto = createNodeCrypto()
  #seats: { vault: Vault; session: number }[] = []
  #joined = 0

  constructor({ names, revoked }: Loaded) {
    const now = unixTime(Math.floor(Date.now() / 1000))
    this.#people = new People(now, this.#crypto, 'Bench CA', revoked === 0 ? undefined : 'http://ca.test.example/list.crl')
    const entries = Array.from({ length: revoked }, () => ({ serial: toHex(this.#crypto.bytes(16)), when: now }))
    this.#proofs = revoked === 0 ? [] : [{ kind: 'crl', der: issueRevocationList(this.#people.ca, entries, 1, now) }]
    const admit = names === 0 ? 'anchors' as const : Array.from({ length: names }, (_, i) => `cn:Person-${names - 1 - i}`)
    this.#policy = { room: 'r' as RoomName, realm: REALM, hosts: [], admit, suite: 'x25519', codec: 'g722', forwarding: 'loudest', maximumMembers: 200, gatewaysAllowed: false }
  }
  #vault(): Vault {
    const { chain, pkcs8 } = this.#people.person(`Person-${this.#joined++}`)
    return must(createVault({ crypto: this.#crypto, clock: this.#clock }, { chain, pkcs8, anchors: [this.#people.ca.certificate], realm: REALM, revocation: { proofs: this.#proofs } }))
  }
  async open(): Promise<void> {
    const vault = this.#vault()
    const { view } = must(await vault.call('room.create', { policy: this.#policy, generation: 1 }))
    this.#seats = [{ vault, session: view.session }]
    while (this.#seats.length < MEMBERS) await this.join()
  }
  async join(): Promise<number> {
    const vault = this.#vault()
    const [nominee, ...others] = this.#seats
    const from = performance.now()
    const { session, keyPackage } = must(await vault.call('room.request', { room: this.#policy.room, suite: 'x25519' }))
    const made = must(await nominee!.vault.call('room.propose', { session: nominee!.session, adds: [{ id: 1, keyPackage }], removes: [] }))
    if (made.welcome === undefined) throw new Error(`not let in: ${made.refused[0]?.message}`)
    let took = performance.now() - from
    for (const [i, { vault: other, session: at }] of others.entries()) {
      const began = performance.now()
      must(await other.call('room.apply', { session: at, commit: made.commit, removals: [] }))
      // They work at the same time in their own machines: one counts.
      if (i === 0) took += performance.now() - began
    }
    must(await nominee!.vault.call('room.confirm', { session: nominee!.session }))
    const began = performance.now()
    must(await vault.call('room.welcome', { session, welcome: made.welcome }))
    took += performance.now() - began
    if (this.#seats.length < MEMBERS) this.#seats.push({ vault, session })
    else await this.#leave(vault, session)
    return took
  }
  /** The room keeps its size. */
  async #leave(vault: Vault, session: number): Promise<void> {
    const [nominee, ...others] = this.#seats
    const { evidence } = must(await vault.call('room.leave', { session }))
    const { view } = must(await vault.call('room.check', { session }))
    const made = must(await nominee!.vault.call('room.propose', { session: nominee!.session, adds: [], removes: [{ leaf: view.ownLeaf, reason: 'leave', evidence }] }))
    for (const { vault: other, session: at } of others) must(await other.call('room.apply', { session: at, commit: made.commit, removals: made.removes }))
    must(await nominee!.vault.call('room.confirm', { session: nominee!.session }))
    await vault.close()
  }
  async close(): Promise<void> {
    for (const { vault } of this.#seats) await vault.close()
  }
}

export async function identities(args: readonly string[]): Promise<BenchTable> {
  const [people, revoked, repeat] = [numberOption(args, 'people', 200), numberOption(args, 'revoked', 10_000), numberOption(args, 'repeat', 15)]
  const sides = [{ what: 'a join without list and names', names: 0, revoked: 0 }, { what: `a join, policy of ${people} names, ${revoked} revoked`, names: people, revoked }]
  const meetings = sides.map((s) => new Meeting(s))
  const times: number[][] = sides.map(() => [])
  for (const m of meetings) await m.open()
  for (let i = 0; i < repeat; i++) for (const [k, m] of meetings.entries()) times[k]!.push(await m.join())
  for (const m of meetings) await m.close()
  const rows = sides.map((s, k) => ({ what: `${s.what} (${MEMBERS} members, crypto and checks)`, times: repeat, 'median ms': round(quantile(times[k]!, 0.5), 2), 'worst ms': round(quantile(times[k]!, 1), 2), 'all, s': round(times[k]!.reduce((a, b) => a + b, 0) / 1000, 2) }))
  const desk = await pki(args)
  return { name: `join, what identities cost: ${people} people, ${revoked} revoked`, rows: [...rows, ...desk.rows], remarks: ['one process, wall clock, joins alternated; others apply a commit at the same time in their own machines: one of them counts'] }
}
