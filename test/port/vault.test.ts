/** One suite over every way to have a vault. */
import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { after, describe, test } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { instant, type RoomName, ssrc, type Ssrc, unixTime } from '../../src/base/brand.ts'
import type { Clock } from '../../src/base/ports.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { issueCertificate, issueRevocationList } from '../../src/pki/authority.ts'
import { answerHopOffer, HOP_EXPORTER_LABEL, HOP_EXPORTER_LENGTH, HOP_SUITES } from '../../src/protocol/hop/agreement.ts'
import type { GroupView, Vault, VaultCalls } from '../../src/vault/api/calls.ts'
import type { FrameBatch } from '../../src/vault/api/frames.ts'
import type { VaultOptions } from '../../src/vault/api/options.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { findBundle } from '../../src/vault/host/bundle.ts'
import { startVaultProcess } from '../../src/vault/host/process.ts'
import { startVault } from '../../src/vault/host/start.ts'
import { People, REALM } from '../kit/people.ts'

const systemClock: Clock = { now: () => instant(performance.now()), unix: () => unixTime(Math.floor(Date.now() / 1000)) }
const crypto = createNodeCrypto()
const people = new People(systemClock.unix(), crypto)
const ROOM = 'port' as RoomName

const providers: Record<string, (options: VaultOptions) => Promise<Vault>> = {
  'in process': async (options) => must(createVault({ crypto, clock: systemClock }, options)),
  'on threads': async (options) => must(await startVault({
    ...options,
    control: new URL('../../src/vault/inside/control-worker.ts', import.meta.url),
    frames: new URL('../../src/vault/inside/frames-worker.ts', import.meta.url),
  })),
  'as a process': async (options) => must(await startVaultProcess({ ...options, bundle: must(findBundle()) })).vault,
}

const POLICY: VaultCalls['room.create']['in']['policy'] = { room: ROOM, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false }

for (const [name, make] of Object.entries(providers)) {
  describe(name, () => {
    const vaults: Vault[] = []
    after(async () => {
      for (const v of vaults) await v.close()
    })
    const vaultOf = async (person: string): Promise<Vault> => {
      const { chain, pkcs8 } = people.person(person)
      const vault = await make({ chain, pkcs8, anchors: [people.ca.certificate], realm: REALM })
      vaults.push(vault)
      return vault
    }
    const twoInRoom = async (): Promise<{ ann: Vault; ben: Vault; a: GroupView; b: GroupView }> => {
      const [ann, ben] = [await vaultOf('Ann'), await vaultOf('Ben')]
      const { view } = must(await ann.call('room.create', { policy: POLICY, generation: 1 }))
      const request = must(await ben.call('room.request', { room: ROOM, suite: 'x25519' }))
      const made = must(await ann.call('room.propose', { session: view.session, adds: [{ id: 1, keyPackage: request.keyPackage }], removes: [] }))
      const a = must(await ann.call('room.confirm', { session: view.session })).view
      const b = must(await ben.call('room.welcome', { session: request.session, welcome: made.welcome! })).view
      return { ann, ben, a, b }
    }
    const announce = async (from: Vault, view: GroupView, stream: Ssrc, ...to: readonly (readonly [Vault, GroupView])[]): Promise<void> => {
      const { message } = must(await from.call('room.announce', { session: view.session, ssrc: stream }))
      for (const [vault, v] of to) assert.deepEqual(must(await vault.call('room.message', { session: v.session, message })), { kind: 'announced', leaf: view.ownLeaf, ssrc: stream })
    }

    test('shows who it is', async () => {
      const vault = await vaultOf('Cas')
      assert.equal(must(await vault.call('identity.show', {})).identity.subject, 'Cas')
    })

    const LATE = new Set(['SFRAME_EPOCH_GONE', 'VAULT_SESSION_UNKNOWN', 'VAULT_FRAME_UNANNOUNCED'])
    test('two members see the same group and hear each other, once announced', async () => {
      const { ann, ben, a, b } = await twoInRoom()
      assert.equal(a.securityCode, b.securityCode)
      assert.match(a.securityCode, /^(\d{5} ){5}\d{5}$/)
      assert.deepEqual(a.members.map((m) => m.identity.subject), ['Ann', 'Ben'])
      // Each shows how the other keeps its keys, and the program that stc vault measure prints.
      const kept = name === 'as a process' ? ['process', must(findBundle()).hash] : ['in-process', undefined]
      for (const view of [a, b]) assert.deepEqual(view.members.map((m) => [m.keyProtection, m.measurement]), [kept, kept])
      assert.deepEqual([a.ownLeaf, b.ownLeaf, a.epoch, a.generation], [0, 1, 1n, 1])
      const frame = { ssrc: ssrc(11), timestamp: 160, data: Uint8Array.of(9, 1, 2, 3) }
      const early = await ann.frames({ op: 'seal', session: a.session, frames: [frame] })
      assert.equal(early.frames[0]!.fault, 'VAULT_FRAME_UNANNOUNCED')
      await announce(ann, a, ssrc(11), [ben, b])
      const talk = async (): Promise<{ sealed: FrameBatch; opened: FrameBatch }> => {
        const sealed = await ann.frames({ op: 'seal', session: a.session, frames: [frame, { ...frame, timestamp: 320 }] })
        assert.deepEqual(sealed.frames.map((f) => f.fault), [undefined, undefined])
        const opened = await ben.frames({ op: 'open', session: b.session, frames: sealed.frames })
        // Until she is told that everybody has it, Ann speaks under the epoch before, which Ben never had; and where frames have a thread
        // of their own, that one may learn of Ben's membership, and of what was announced to him, a moment after he does.
        return opened.frames.some((f) => f.fault !== undefined && LATE.has(f.fault)) ? talk() : { sealed, opened }
      }
      const { sealed, opened } = await talk()
      assert.deepEqual(opened.frames.map((f) => [[...f.data], f.leaf, f.fault]), [[[9, 1, 2, 3], 0, undefined], [[9, 1, 2, 3], 0, undefined]])
      const again = await ben.frames({ op: 'open', session: b.session, frames: sealed.frames.slice(0, 1) })
      assert.equal(again.frames[0]!.fault, 'SFRAME_REPLAYED')
      const swapped = await ben.frames({ op: 'open', session: b.session, frames: sealed.frames.map((f) => ({ ...f, ssrc: ssrc(12) })) })
      assert.deepEqual(swapped.frames.map((f) => [f.fault, f.data.length]), [['VAULT_FRAME_WRONG_STREAM', 0], ['VAULT_FRAME_WRONG_STREAM', 0]])
    })

    test('a host removes and bans; the removed one learns it and cannot come back', async () => {
      const { ann, ben, a, b } = await twoInRoom()
      assert.equal((await ben.call('room.act', { session: b.session, leaf: 0, ban: false })).ok, false)
      const { evidence } = must(await ann.call('room.act', { session: a.session, leaf: 1, ban: true }))
      const removes = [{ leaf: 1, reason: 'host' as const, evidence }]
      const made = must(await ann.call('room.propose', { session: a.session, adds: [], removes }))
      const gone = must(await ben.call('room.apply', { session: b.session, commit: made.commit, removals: removes }))
      assert.deepEqual([gone.ended, gone.removed[0]?.identity.subject, gone.removed[0]?.by], [true, 'Ben', 0])
      assert.deepEqual(must(await ann.call('room.confirm', { session: a.session })).view.state.banned.length, 1)
      const request = must(await ben.call('room.request', { room: ROOM, suite: 'x25519' }))
      const refused = must(await ann.call('room.propose', { session: a.session, adds: [{ id: 5, keyPackage: request.keyPackage }], removes: [] }))
      assert.deepEqual(refused.refused.map((r) => [r.id, r.code]), [[5, 'MLS_NOT_ADMITTED']])
    })

    test('calls to what is not there are faults', async () => {
      const vault = await vaultOf('Dan')
      const unknown = await vault.call('room.confirm', { session: 999 })
      assert.equal(unknown.ok ? '' : unknown.fault.code, 'VAULT_SESSION_UNKNOWN')
      const hop = await vault.call('hop.offer', { pipe: 9, generation: 1, suites: ['AEAD_AES_128_GCM'] })
      assert.equal(hop.ok ? '' : hop.fault.code, 'VAULT_PIPE_UNKNOWN')
      const frames = await vault.frames({ op: 'open', session: 999, frames: [{ ssrc: ssrc(1), timestamp: 0, data: new Uint8Array(40) }] })
      assert.equal(frames.frames[0]!.fault, 'VAULT_SESSION_UNKNOWN')
    })

    const withServer = async (hosts: readonly string[], issuer: People, use: (port: number, accepted: Promise<TLSSocket>) => Promise<void>): Promise<void> => {
      const { chain, pkcs8 } = issueCertificate(issuer.ca, { name: 'server', hosts, kind: 'server', now: systemClock.unix() })
      const toPem = (label: string, der: Uint8Array): string => `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`
      const server = createServer({
        cert: chain.map((c) => toPem('CERTIFICATE', c)).join(''), key: toPem('PRIVATE KEY', pkcs8), minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false,
        ALPNProtocols: ['stc.v1'], ecdhCurve: 'X25519MLKEM768',
      })
      const accepted = new Promise<TLSSocket>((resolve) => server.on('secureConnection', resolve))
      server.on('tlsClientError', () => {})
      server.on('secureConnection', (s) => s.on('error', () => {}))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        await use((server.address() as { port: number }).port, accepted)
      } finally {
        server.close()
      }
    }
    const dial = (vault: Vault, port: number) => {
      const pipe = vault.pipe({ serverName: 'sip.test.example', protocols: ['stc.v1'] })
      const tcp = connectTcp(port, '127.0.0.1')
      pipe.onCipher((b) => tcp.write(b))
      tcp.on('data', (b: Uint8Array) => pipe.feed(new Uint8Array(b)))
      tcp.on('close', () => pipe.end())
      tcp.on('error', () => {})
      pipe.onClose(() => tcp.destroy())
      return pipe
    }

    test('its TLS connection is mutual, hybrid, and gives hop keys', async () => {
      const vault = await vaultOf('Eva')
      await withServer(['sip.test.example'], people, async (port, accepted) => {
        const pipe = dial(vault, port)
        const { server } = must(await pipe.secured)
        assert.deepEqual(server.hosts, ['sip.test.example'])
        const socket = await accepted
        assert.equal(socket.getPeerX509Certificate()?.subject.includes('Eva'), true)
        assert.equal(socket.getProtocol(), 'TLSv1.3')
        const heard = new Promise<string>((resolve) => pipe.onPlain((b) => resolve(Buffer.from(b).toString())))
        socket.write('hello')
        assert.equal(await heard, 'hello')
        const said = new Promise<string>((resolve) => socket.once('data', (b) => resolve(String(b))))
        pipe.write(new TextEncoder().encode('goodbye'))
        assert.equal(await said, 'goodbye')

        const offer = must(await vault.call('hop.offer', { pipe: pipe.id, generation: 1, suites: ['AEAD_AES_128_GCM'] }))
        const exporter = (context: Uint8Array): Uint8Array => new Uint8Array(socket.exportKeyingMaterial(HOP_EXPORTER_LENGTH, HOP_EXPORTER_LABEL, Buffer.from(context)))
        const answer = must(answerHopOffer(crypto, offer.message, exporter, { after: 0, suites: HOP_SUITES }))
        const keys = must(await vault.call('hop.finish', { pipe: pipe.id, answer: answer.message }))
        assert.deepEqual([keys.send, keys.receive], [answer.receive, answer.send])
        const second = await vault.call('hop.offer', { pipe: pipe.id, generation: 1, suites: ['AEAD_AES_128_GCM'] })
        assert.equal(second.ok ? '' : second.fault.code, 'HOP_GENERATION')
        pipe.end()
      })
    })

    test('a server is reached by whoever has outdated lists alone, and let go once a list revokes it', async () => {
      const vault = await vaultOf('Kim')
      const list = (age: number, ...revoked: readonly string[]) => ({ kind: 'crl' as const, der: issueRevocationList(people.ca, revoked.map((serial) => ({ serial, when: systemClock.unix() })), 1, unixTime(systemClock.unix() - age)) })
      must(await vault.call('revocation.update', { proofs: [list(9 * 86_400)] }))
      await withServer(['sip.test.example'], people, async (port, accepted) => {
        const pipe = dial(vault, port)
        must(await pipe.secured)
        const serial = (await accepted).getX509Certificate()!.serialNumber.toLowerCase()
        const closed = new Promise<string>((resolve) => pipe.onClose(resolve))
        must(await vault.call('revocation.update', { proofs: [list(60, serial)] }))
        assert.match(await closed, /revoked.* \[IDENTITY_REVOKED\]$/)
      })
    })

    for (const [what, hosts, issuer, code] of [
      ['for another name', ['other.test.example'], people, 'VAULT_SERVER_NAME'],
      ['of another authority', ['sip.test.example'], new People(systemClock.unix(), crypto, 'Other CA'), 'VAULT_TLS'],
    ] as const) {
      test(`a server with a certificate ${what} gets nothing`, async () => {
        const vault = await vaultOf('Fay')
        await withServer(hosts, issuer, async (port) => {
          const pipe = dial(vault, port)
          const secured = await pipe.secured
          assert.equal(secured.ok ? '' : secured.fault.code, code)
        })
      })
    }

    test('a closed vault answers with faults', async () => {
      const vault = await vaultOf('Gus')
      await vault.close()
      const call = await vault.call('identity.show', {})
      assert.equal(call.ok ? '' : call.fault.code, 'VAULT_DEAD')
      const frames = await vault.frames({ op: 'open', session: 1, frames: [{ ssrc: ssrc(1), timestamp: 0, data: new Uint8Array(40) }] })
      assert.equal(frames.frames[0]!.fault, 'VAULT_DEAD')
    })
  })
}

test('when a thread dies the vault is dead, and says so', async () => {
  const { chain, pkcs8 } = people.person('Hal')
  const vault = must(await startVault({
    chain, pkcs8, anchors: [people.ca.certificate], realm: REALM,
    control: new URL('../../src/vault/inside/control-worker.ts', import.meta.url),
    frames: new URL('../kit/crashing-worker.ts', import.meta.url),
  }))
  const port = vault.framesPort()
  const closed = new Promise<void>((resolve) => port.on('close', () => resolve()))
  const pipe = vault.pipe({ serverName: 'sip.test.example', protocols: [] })
  const frames = await vault.frames({ op: 'open', session: 1, frames: [{ ssrc: ssrc(1), timestamp: 0, data: new Uint8Array(40) }] })
  assert.equal(frames.frames[0]!.fault, 'VAULT_DEAD')
  const call = await vault.call('identity.show', {})
  assert.equal(call.ok ? '' : call.fault.code, 'VAULT_DEAD')
  assert.equal((await pipe.secured).ok, false)
  await closed
  await vault.close()
})

test('a vault with a key that is not the certificate\'s does not start', async () => {
  const { chain } = people.person('Ida')
  const { pkcs8 } = people.person('Jon')
  const options = { chain, pkcs8, anchors: [people.ca.certificate], realm: REALM }
  const started = await startVault({ ...options, control: new URL('../../src/vault/inside/control-worker.ts', import.meta.url), frames: new URL('../../src/vault/inside/frames-worker.ts', import.meta.url) })
  assert.equal(started.ok ? '' : started.fault.code, 'IDENTITY_KEY_MISMATCH')
  const inProcess = createVault({ crypto, clock: systemClock }, options)
  assert.equal(inProcess.ok ? '' : inProcess.fault.code, 'IDENTITY_KEY_MISMATCH')
})
