/** People who call each other: real vaults, the client's part and the server's, in virtual time. What the server passes on can be changed. */
import { must, ok } from '../../src/base/result.ts'
import type { Fault } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { Identity } from '../../src/model/identity.ts'
import { type RingNews, Rings as ClientRings } from '../../src/client/rings.ts'
import type { ServerMessage } from '../../src/protocol/wire/messages.ts'
import { RING_CAPABILITY } from '../../src/protocol/wire/ring-messages.ts'
import { Rings as ServerRings } from '../../src/server/rings.ts'
import type { Session } from '../../src/server/session.ts'
import type { Vault } from '../../src/vault/api/calls.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { People, REALM } from './people.ts'
import { VirtualClock } from './virtual-clock.ts'

export class RingWorld {
  readonly clock = new VirtualClock()
  readonly crypto = createNodeCrypto()
  readonly people = new People(this.clock.unix(), this.crypto)
  readonly all: RingPerson[] = []
  readonly server = new ServerRings(this.clock, () => this.all.map((p) => p.session))
  /** What a hostile server makes of what it should pass on to this person. */
  passes: (to: RingPerson, m: ServerMessage) => readonly ServerMessage[] = (_, m) => [m]

  async person(name: string, o: { readonly from?: People; readonly capable?: boolean; readonly as?: RingPerson } = {}): Promise<RingPerson> {
    const own = o.as?.own ?? (o.from ?? this.people).person(name)
    const vault = o.as?.vault ?? must(createVault({ crypto: this.crypto, clock: this.clock }, { chain: own.chain, pkcs8: own.pkcs8.slice(), anchors: [(o.from ?? this.people).ca.certificate], realm: REALM }))
    const identity = o.from === undefined ? must(await vault.call('identity.show', {})).identity : ({ keyId: '0'.repeat(64), emails: [] } as unknown as Identity)
    const p = new RingPerson(this, own, vault, identity, o.capable !== false)
    this.all.push(p)
    return p
  }
  gone(p: RingPerson): void {
    this.all.splice(this.all.indexOf(p), 1)
    this.server.gone(p.session)
    p.rings.onDown()
  }
  /** Vaults answer by promises. */
  settle(): Promise<void> {
    return this.clock.advance(1)
  }
}

export class RingPerson {
  readonly own: ReturnType<People['person']>
  readonly vault: Vault
  readonly identity: Identity
  readonly session: Session
  readonly rings: ClientRings
  readonly news: RingNews[] = []
  readonly refused: Fault[] = []
  readonly faults: string[] = []
  readonly blocked = new Set<string>()

  constructor(world: RingWorld, own: ReturnType<People['person']>, vault: Vault, identity: Identity, capable: boolean) {
    this.own = own
    this.vault = vault
    this.identity = identity
    const send = (m: ServerMessage): void => {
      for (const x of world.passes(this, m)) this.rings.onMessage(x)
    }
    this.session = { greeted: true, capabilities: new Set(capable ? [RING_CAPABILITY] : []), keyId: identity.keyId, peer: { identity }, send, fault: (f: Fault) => void this.faults.push(f.code) } as unknown as Session
    this.rings = new ClientRings({
      vault, crypto: world.crypto, scheduler: world.clock, blocked: (k) => this.blocked.has(k), tell: (n) => void this.news.push(n), report: (f) => void this.refused.push(f),
      send: (m) => {
        if (m.k === 'ring') world.server.begin(this.session, m)
        else if (m.k === 'ring-end') world.server.end(this.session, m)
        return ok(undefined)
      },
    })
    if (capable) this.rings.onUp([RING_CAPABILITY])
  }
  /** `incoming Ann`, `done declined`, … */
  get told(): string[] {
    return this.news.map((n) => (n.kind === 'incoming' ? `incoming ${n.ring.identity.subject}` : n.kind === 'outgoing' ? `outgoing ${n.ring.state}` : `${n.kind} ${n.reason}`))
  }
}
