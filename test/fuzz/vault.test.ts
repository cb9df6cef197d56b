/**
 * Everything that a client in wrong hands could write to its vault: malformed, truncated, out of order, oversized, random. It neither
 * falls over nor tells anything. `STC_LONG=1`: a million messages to a real process, a hundred thousand deep into the calls.
 */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import type { Socket } from 'node:net'
import { deserialize } from 'node:v8'
import { test } from 'node:test'
import { instant, type RoomName, ssrc, unixTime } from '../../src/base/brand.ts'
import { concat } from '../../src/base/bytes.ts'
import { must, type Result } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { issueRevocationList } from '../../src/pki/authority.ts'
import { encodeCollateral } from '../../src/protocol/sgx/collateral.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { encodeCbor } from '../../src/protocol/wire/cbor.ts'
import { CLIENT_LIMITS, FROM_VAULT, frame, numbered, TO_VAULT, Unframer } from '../../src/vault/api/border.ts'
import { CALL_NAMES, CALL_SHAPES } from '../../src/vault/api/call-shapes.ts'
import { packBatches } from '../../src/vault/api/packed-frames.ts'
import { BAD } from '../../src/vault/api/shapes.ts'
import { findBundle } from '../../src/vault/host/bundle.ts'
import { spawnVault } from '../../src/vault/host/process.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { FrameEngine } from '../../src/vault/inside/frame-engine.ts'
import type { FrameCommand } from '../../src/vault/inside/frame-commands.ts'
import { openControl } from '../../src/vault/inside/open-control.ts'
import { Border } from '../../src/vault/inside/process/border.ts'
import { ocspResponse } from '../kit/ocsp.ts'
import { People, REALM } from '../kit/people.ts'
import { until } from '../kit/processes.ts'
import { ProcessorMaker } from '../kit/sgx.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'
import { type Samples, VaultMill } from '../kit/vault-mill.ts'

const LONG = process.env['STC_LONG'] === '1'
const TO_PROCESS = LONG ? 1_000_000 : 20_000
const DEEP = LONG ? 100_000 : 3000
const ROOM = 'fuzz' as RoomName
const POLICY = { room: ROOM, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const

const crypto = createNodeCrypto()
const people = new People(unixTime(Math.floor(Date.now() / 1000)), crypto)
const optionsOf = (name: string) => {
  const { chain, pkcs8 } = people.person(name)
  return { chain, pkcs8, anchors: [people.ca.certificate], realm: REALM }
}

/** Every way in which a secret could stand in what comes out. */
const spellings = (secret: Uint8Array): Buffer[] => [Buffer.from(secret), Buffer.from(Buffer.from(secret).toString('hex')), Buffer.from(Buffer.from(secret).toString('base64').replace(/=+$/, ''))]
const scalarOf = (pkcs8: Uint8Array): Uint8Array => Buffer.from((createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' }) as { d: string }).d, 'base64url')

/** What a real conversation has: arguments of every call, and the octets in them. */
async function conversation(): Promise<Samples> {
  const clock = { now: () => instant(performance.now()), unix: () => unixTime(Math.floor(Date.now() / 1000)) }
  const [ann, ben] = ['Ann', 'Ben'].map((n) => must(createVault({ crypto, clock }, optionsOf(n))))
  const { view } = must(await ann!.call('room.create', { policy: POLICY, generation: 1 }))
  const request = must(await ben!.call('room.request', { room: ROOM, suite: 'x25519' }))
  const adds = [{ id: 1, keyPackage: request.keyPackage }]
  const made = must(await ann!.call('room.propose', { session: view.session, adds, removes: [] }))
  must(await ann!.call('room.confirm', { session: view.session }))
  must(await ben!.call('room.welcome', { session: request.session, welcome: made.welcome! }))
  const word = must(await ann!.call('room.announce', { session: view.session, ssrc: ssrc(5) }))
  const update = must(await ann!.call('room.propose', { session: view.session, adds: [], removes: [] }))
  const { evidence } = must(await ann!.call('room.act', { session: view.session, leaf: 1, ban: true }))
  const removal = { leaf: 1, reason: 'host', evidence }
  const standing = { ...POLICY, room: 'fuzz-standing' as RoomName }
  const { signed } = must(await ann!.call('policy.draft', { room: standing })).known
  const notice = must(await ann!.call('notice.sign', { kind: 'block', target: 'ab'.repeat(32), reason: 'a stolen laptop' })).notice.bytes
  const { ring, chain } = must(await ann!.call('ring.sign', { room: ROOM, to: 'eve@test.example', id: 'ab'.repeat(16) }))
  const opened = must(await ann!.call('journal.open', { parts: [] }))
  const notes = [{ what: 'started', text: 'x' }, { what: 'note', room: ROOM, call: 'c', code: 'CODE', text: 'words' }, { what: 'present', members: ['Ann'], callers: [] }] as const
  const written = must(await ann!.call('journal.append', { notes }))
  const part = concat(Buffer.from('stc journal 1\n'), opened.records, written.records)
  const begun = must(await ben!.call('call.begin', { codec: 'pcmu', carriers: ['message'], anonymous: false }))
  const [message] = must(await ben!.call('call.step', { session: begun.session, input: 'start', carrier: 'message' })).send
  const list = issueRevocationList(people.ca, [], 1, clock.unix())
  const answer = ocspResponse(people.ca.signer, { subject: must(parseCertificate(chain[0]!)), issuer: must(parseCertificate(people.ca.certificate)) })
  const collateral = encodeCollateral(new ProcessorMaker().collateral())
  return {
    inputs: {
      'identity.show': {}, 'hop.offer': { pipe: 1, generation: 1, suites: ['AEAD_AES_128_GCM'] }, 'hop.finish': { pipe: 1, answer: word.message },
      'room.create': { policy: POLICY, generation: 1 }, 'room.request': { room: ROOM, suite: 'x25519' }, 'room.welcome': { session: 1, welcome: made.welcome },
      'room.propose': { session: 1, adds, removes: [removal] }, 'room.confirm': { session: 1 }, 'room.settle': { session: 1, epoch: 2 }, 'room.abandon': { session: 1 },
      'room.apply': { session: 1, commit: update.commit, removals: [removal] }, 'room.announce': { session: 1, ssrc: 5 }, 'room.message': { session: 1, message: word.message },
      'room.leave': { session: 1 }, 'room.act': { session: 1, leaf: 0, ban: false }, 'room.end': { session: 3 },
      'room.check': { session: 1 }, 'room.decide': { session: 1, decision: { act: 'lock' } }, 'room.amend': { session: 1, change: { lobby: true, maximumMembers: 8 }, handTo: 'ab'.repeat(32) },
      'room.knock': { session: 1, keyPackage: request.keyPackage }, 'room.say': { session: 1, word: { kind: 'notice', notice } },
      'policy.learn': { signed }, 'policy.known': { room: ROOM }, 'policy.draft': { room: { ...standing, coOwners: ['ab'.repeat(32)] } }, 'policy.amend': { room: standing.room, change: { hosts: [], recovery: null }, recoveryKey: new Uint8Array(138) },
      'policy.decide': { room: standing.room, decision: { act: 'unban', keyId: 'ab'.repeat(32) } }, 'policy.forget': { room: standing.room },
      'notice.sign': { kind: 'lift', target: 'ab'.repeat(32), reason: 'found again' }, 'notice.learn': { notice }, 'notice.known': {},
      'journal.open': { parts: [part], head: written.head }, 'journal.append': { notes }, 'journal.checkpoint': {}, 'journal.read': { part, head: written.head, from: { number: 1, hash: 'ab'.repeat(32) } },
      'call.begin': { codec: 'g722', carriers: ['message', 'in-band'], anonymous: true, password: 'words', profile: 'sealed' }, 'call.step': { session: 1, input: 'message', carrier: 'message', message, sealed: false },
      'call.state': { session: 1, hold: true, mute: false }, 'call.end': { session: 4 },
      'ring.sign': { room: ROOM, to: 'ben@test.example', id: 'cd'.repeat(16) }, 'ring.read': { ring, chain }, 'identity.verify': { chain },
      'revocation.update': { proofs: [{ kind: 'crl', der: list }, { kind: 'ocsp', der: answer }] }, 'attestation.update': { collateral: [collateral] },
    },
    octets: [request.keyPackage, made.commit, made.welcome!, word.message, update.commit, evidence, signed.base, signed.state, notice, ring, part, message!, list, answer, collateral],
  }
}

test('there is a valid argument of every call to start from', async () => {
  const { inputs } = await conversation()
  assert.deepEqual(CALL_NAMES.filter((name) => CALL_SHAPES[name](inputs[name] as never) === BAD), [])
})

class FuzzedProcess {
  readonly child = spawnVault(must(findBundle()).file, undefined)
  readonly socket = this.child.stdio[3] as Socket
  readonly #answers = new Map<number, (r: Result<unknown>) => void>()
  readonly #secrets: readonly Buffer[]
  ready: Promise<void>
  /** Octets that came out, and secrets found among them. */
  received = 0
  found = 0
  #tail = Buffer.alloc(0)
  #unblocked: () => void = () => {}

  constructor(secrets: readonly Buffer[]) {
    this.#secrets = secrets
    let isReady = (): void => {}
    this.ready = new Promise((resolve) => { isReady = resolve })
    const unframer = new Unframer(CLIENT_LIMITS, (kind, body) => {
      if (kind === FROM_VAULT.ready) isReady()
      if (kind !== FROM_VAULT.answer) return
      const id = new DataView(body.buffer, body.byteOffset).getUint32(0)
      this.#answers.get(id)?.(deserialize(body.slice(4)) as Result<unknown>)
      this.#answers.delete(id)
    })
    this.socket.on('data', (octets: Buffer) => {
      this.received += octets.length
      // Across the seams too.
      const seam = Buffer.concat([this.#tail, octets])
      for (const s of this.#secrets) if (seam.includes(s)) this.found++
      this.#tail = seam.subarray(-200)
      unframer.push(octets)
    })
    this.socket.on('error', () => {})
    for (const event of ['drain', 'close']) this.socket.on(event, () => this.#unblocked())
  }
  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }
  open(options: ReturnType<typeof optionsOf>): void {
    this.socket.write(frame(TO_VAULT.open, encodeCbor(options)))
  }
  call(id: number, name: (typeof CALL_NAMES)[number], input: unknown): Promise<Result<unknown>> {
    return new Promise((resolve) => {
      this.#answers.set(id, resolve)
      this.socket.write(numbered(TO_VAULT.call, id, Uint8Array.of(CALL_NAMES.indexOf(name)), encodeCbor(input)))
    })
  }
  async write(octets: Uint8Array): Promise<void> {
    if (this.socket.write(octets) || !this.alive) return
    await new Promise<void>((resolve) => {
      this.#unblocked = resolve
    })
  }
}
const CONTROL_ID = 0xf000_0000

seededTest(`${TO_PROCESS} messages to a vault process: it lives, answers, and tells nothing`, async (seed, t) => {
  const options = optionsOf('Eve')
  const v = new FuzzedProcess([...spellings(options.pkcs8), ...spellings(scalarOf(options.pkcs8))])
  t.after(() => v.child.kill('SIGKILL'))
  const mill = new VaultMill(new SeededNumbers(seed), await conversation())
  // Before it is open, too; who may open it at all may also choose a wrong key.
  for (let i = 0; i < 200; i++) {
    const m = mill.next()
    if (m[4] !== TO_VAULT.open) await v.write(m)
  }
  v.open(options)
  await v.ready
  for (let i = 0; i < TO_PROCESS; i++) {
    await v.write(mill.next())
    // It keeps up, and has not lost its place in the stream.
    if (i % 5000 === 0) assert.equal(typeof (await v.call(CONTROL_ID + i, 'identity.show', {})).ok, 'boolean')
    assert.ok(v.alive, `it has ended after ${i} messages`)
  }
  let n = CONTROL_ID + TO_PROCESS
  const shown = await until(20_000, 'calm', async () => {
    const r = await v.call(++n, 'identity.show', {})
    return r.ok ? (r.value as { identity: { subject: string } }) : undefined
  })
  assert.equal(shown.identity.subject, 'Eve')
  assert.ok(v.received > TO_PROCESS / 10, `${v.received} octets`)
  assert.equal(v.found, 0)
  t.diagnostic(`${v.received} octets of answers`)
})

seededTest('what announces more than it has keeps the vault waiting, not growing; the end of its host ends it', async (_, t) => {
  const v = new FuzzedProcess([])
  t.after(() => v.child.kill('SIGKILL'))
  v.open(optionsOf('Eve'))
  await v.ready
  await v.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, TO_VAULT.frames))
  for (let i = 0; i < 64; i++) await v.write(new Uint8Array(1 << 20))
  assert.ok(v.alive)
  v.socket.destroy()
  await until(10_000, 'end of the vault', () => (v.alive ? undefined : true))
})

seededTest(`${DEEP} messages deep into the calls, with no limits of rate in the way: nothing is thrown, no key comes out`, async (seed, t) => {
  let now = 0
  const clock = { now: () => instant((now += 1000)), unix: () => unixTime(Math.floor(Date.now() / 1000)) }
  const options = optionsOf('Eve')
  const secrets = new Set<string>([Buffer.from(options.pkcs8).toString('latin1'), Buffer.from(scalarOf(options.pkcs8)).toString('latin1')])
  const watching = { ...crypto, signatureKeyPair: (...a: Parameters<typeof crypto.signatureKeyPair>) => {
    const pair = crypto.signatureKeyPair(...a)
    secrets.add(Buffer.from(pair.privateKey).toString('latin1'))
    return pair
  } }
  const engine = new FrameEngine(watching, clock)
  const control = must(openControl(watching, clock, options, (c: FrameCommand) => {
    if (c.op === 'epoch') secrets.add(Buffer.from(c.baseKey).toString('latin1'))
    engine.command(c)
  }))
  const sent: Buffer[] = []
  let answered = 0
  let working = 0
  const border: Border = new Border({
    seal: () => ({ ok: true, value: 'sealed' }), open: () => {}, close: () => {}, frames: (p) => engine.runPacked(p), send: (o) => void sent.push(Buffer.from(o)),
    control: (m) => {
      if (m.op === 'call') {
        working++
        void control.call(m.name, m.input as never).then((result) => {
          working--
          answered++
          border.tell({ op: 'answer', id: m.id, result })
        })
      } else if (m.op === 'pipe.open') {
        const pipe = control.pipe(m.pipe, m)
        if (pipe.ok) pipe.value.onCipher((bytes) => border.tell({ op: 'pipe.cipher', pipe: m.pipe, bytes }))
      }
    },
  })
  border.push(frame(TO_VAULT.open, new Uint8Array(3)))
  border.ready(undefined)
  const mill = new VaultMill(new SeededNumbers(seed), await conversation())
  const own = numbered(TO_VAULT.call, 1, Uint8Array.of(CALL_NAMES.indexOf('room.create')), encodeCbor({ policy: POLICY, generation: 1 }))
  for (let i = 0; i < DEEP; i++) {
    border.push(i % 500 === 0 ? own : mill.next())
    if (i % 50 === 0) await until(30_000, 'answers', () => (working === 0 ? true : undefined), () => '', 0)
  }
  await until(30_000, 'answers', () => (working === 0 ? true : undefined))
  border.push(numbered(TO_VAULT.frames, 7, packBatches([])))
  const all = Buffer.concat(sent)
  assert.ok(answered > DEEP / 20, `${answered} calls were answered`)
  assert.ok(secrets.size > 5, `${secrets.size} secrets`)
  for (const s of secrets) for (const spelt of spellings(Buffer.from(s, 'latin1'))) assert.ok(!all.includes(spelt), 'a secret came out')
  t.diagnostic(`${answered} calls answered, ${secrets.size} secrets looked for in ${all.length} octets`)
})
