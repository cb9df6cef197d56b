/** Whatever clients, phones and the server do: no key of a plane ever encrypts twice under one IV. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import type { SrtpKeys } from '../../src/media/api.ts'
import type { LegId, LegSpec } from '../../src/media/plane/types.ts'
import { legSpec, MediaClient } from '../kit/media-client.ts'
import { PlainParty } from '../kit/plain-peer.ts'
import { type MakeWorld, type PlaneWorld, planeWorlds } from '../kit/plane-worlds.ts'

const crypto = createNodeCrypto()
const CLIENTS = 3
const SUITES: readonly SrtpKeys['suite'][] = ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80']

/** Every key and IV that was sealed under, by their text. */
function watched(used: Map<string, number>): (c: CryptoPort) => CryptoPort {
  return (c) => ({
    ...c,
    packetCipher(algorithm, key) {
      const cipher = c.packetCipher(algorithm, key)
      const name = toHex(key)
      return {
        tagLength: cipher.tagLength, ivLength: cipher.ivLength,
        seal(buf, at, aadLen, len, iv) {
          const id = `${name} ${toHex(iv)}`
          used.set(id, (used.get(id) ?? 0) + 1)
          return cipher.seal(buf, at, aadLen, len, iv)
        },
        open: (buf, at, aadLen, len, iv) => cipher.open(buf, at, aadLen, len, iv),
        [Symbol.dispose]: () => cipher[Symbol.dispose](),
      }
    },
  })
}

interface Party {
  client: MediaClient
  leg: LegId
  spec: LegSpec
}

class Play {
  readonly #w: PlaneWorld
  readonly #parties: Party[] = []
  #plain: { party: PlainParty; leg: LegId } | undefined
  #probe = 1000

  constructor(w: PlaneWorld) {
    this.#w = w
  }
  async start(): Promise<void> {
    for (let i = 0; i < CLIENTS; i++) this.#parties.push(await this.#join(i))
    const party = new PlainParty(await this.#w.pair())
    const opened = must(await this.#w.plane.openPlain({ bind: this.#w.here, peer: party.peer }))
    party.to = opened
    this.#plain = { party, leg: opened.leg }
  }
  async #join(i: number): Promise<Party> {
    const spec = legSpec(crypto, this.#probe++, 1, SUITES[i % 3])
    const client = new MediaClient(crypto, await this.#w.socket(), this.#w.plane.local, spec)
    const party = { client, leg: must(this.#w.plane.open(spec)), spec }
    client.probe()
    await this.#w.until(() => this.#w.plane.stats().find((x) => x.leg === party.leg)!.path === 'udp')
    this.#routeAll(party, i)
    return party
  }
  /** From the newcomer to the others, and from them to it. */
  #routeAll(p: Party, i: number): void {
    const all = [...this.#parties.entries()].filter(([k]) => k !== i)
    this.#w.plane.route(p.leg, ssrc(100 + i), all.map(([, o]) => o.leg))
    for (const [k, from] of all) this.#w.plane.route(from.leg, ssrc(100 + k), [p, ...all.map(([, o]) => o)].filter((o) => o !== from).map((o) => o.leg))
  }
  async #settle(): Promise<void> {
    if (this.#w.pass !== undefined) return this.#w.pass(50)
    let turns = 0
    await this.#w.until(() => ++turns > 5)
  }
  /** `n` decides particulars. */
  async step(what: string, i: number, n: number): Promise<void> {
    const p = this.#parties[i]!
    const plane = this.#w.plane
    if (what === 'send') for (let k = 0; k < 1 + (n % 4); k++) p.client.send(100 + i, n * 160 + k, new Uint8Array(20))
    else if (what === 'rewind') {
      // A second sender under the same keys, which begins anywhere.
      const again = new MediaClient(crypto, { ...p.client.socket, local: p.client.socket.local, onMessage: () => {} }, plane.local, p.spec)
      for (let k = 0; k < 3; k++) p.client.socket.send(again.rtp(100 + i, k, new Uint8Array(20), (n * 7919) & 0xffff ? ((n * 7919) & 0xffff) + k : k), plane.local)
    } else if (what === 'probe') p.client.probe(true, new Uint8Array(8).fill(n))
    else if (what === 'rekey') {
      const next = legSpec(crypto, p.spec.probe, p.spec.generation + 1, SUITES[n % 3])
      must(plane.rekey(p.leg, next))
      p.spec = next
      // Sometimes it is heard under the new keys, sometimes not for a while.
      if (n % 2 === 0) p.client = new MediaClient(crypto, p.client.socket, plane.local, next)
    } else if (what === 'route') plane.route(p.leg, ssrc(100 + i), this.#parties.filter((_, k) => k !== i && n % 4 !== k).map((o) => o.leg))
    else if (what === 'unroute') {
      plane.unroute(p.leg, ssrc(100 + i))
      if (n % 2 === 0) this.#routeAll(p, i)
    }
    else if (what === 'leave') {
      plane.close(p.leg)
      this.#parties[i] = await this.#join(i)
    } else if (what === 'call') plane.bridge(this.#plain!.leg, { kind: 'hop', leg: p.leg, receive: ssrc(200 + i), send: ssrc(300 + (n % 2)) })
    else if (what === 'talk') for (let k = 0; k < 3; k++) p.client.send(200 + i, n * 160 + k, new Uint8Array(20))
    else if (what === 'hang up') plane.unbridge(this.#plain!.leg)
    else this.#plain!.party.send({ ssrc: 7 + (n % 3), sequence: (n * 31) & 0xffff, timestamp: n * 160, payload: new Uint8Array(20) })
    await this.#settle()
  }
}

const STEPS = ['send', 'send', 'send', 'send', 'rewind', 'probe', 'rekey', 'rekey', 'route', 'unroute', 'leave', 'call', 'talk', 'hang up', 'phone', 'phone'] as const

function suite(name: string, make: MakeWorld, runs: number): void {
  test(`${name}: senders that restart, rewind and rekey, calls that come and go`, async () => {
    let sealed = 0
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(CLIENTS - 1), fc.nat(2000)), { minLength: 40, maxLength: 90 }), async (steps) => {
      const used = new Map<string, number>()
      const w = await make(watched(used))
      try {
        const play = new Play(w)
        await play.start()
        for (const [what, i, n] of steps) await play.step(what, i, n)
      } finally {
        w.end()
      }
      sealed += used.size
      assert.deepEqual([...used].filter(([, times]) => times > 1), [])
    }), { numRuns: runs })
    assert.ok(sealed > 40 * runs, `${sealed} packets were sealed`)
  })
}

for (const [name, make] of planeWorlds) suite(name, make, name.includes('simulated') ? 60 : 15)
