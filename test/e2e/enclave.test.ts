/**
 * The bundle as it runs in an enclave, with the arguments and environment of its manifest: processor and Gramine are stand-ins of the test,
 * everything else is real. What the hardware does cannot be shown here.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { instant, type RoomName, unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { encodeCollateral } from '../../src/protocol/sgx/collateral.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import { bundleIn, findBundle } from '../../src/vault/host/bundle.ts'
import { type EnclaveStart, sealInEnclave, startVaultProcess } from '../../src/vault/host/process.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { AttestationDevice } from '../kit/attestation-device.ts'
import { People, REALM } from '../kit/people.ts'
import { ProcessorMaker } from '../kit/sgx.ts'

const builder = new URL('../../bin/build-enclave.mjs', import.meta.url).href
const { layOut } = (await import(builder)) as { layOut(folder: string): Promise<void> }
const able = process.platform === 'linux' && spawnSync('unshare', ['--mount', 'true']).status === 0
const clock = { now: () => instant(performance.now()), unix: () => unixTime(Math.floor(Date.now() / 1000)) }
const ROOM = 'r' as RoomName

test('seals its key for itself alone, shows a quote over its delegation, and another\'s vault verifies it', { skip: able ? false : 'needs root on Linux: a /dev of its own' }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-enclave-'))
  const intel = new ProcessorMaker(clock.unix())
  await layOut(folder)
  const device = new AttestationDevice(folder, intel.enclave(), new Uint8Array(16).fill(1))
  t.after(() => {
    device.end()
    rmSync(folder, { recursive: true, force: true })
  })
  const enclave: EnclaveStart = { loader: fileURLToPath(new URL('../kit/gramine-stand-in.mjs', import.meta.url)), folder }
  const crypto = createNodeCrypto()
  const people = new People(clock.unix(), crypto)
  const { chain, pkcs8 } = people.person('Ann')
  const bundle = must(bundleIn(folder))
  assert.equal(bundle.hash, must(findBundle()).hash, 'the very same program as outside')

  const plain = new Uint8Array(Buffer.from(encodePem('PRIVATE KEY', pkcs8)))
  const keyFile = path.join(folder, 'ann.key')
  const sealed = must(await sealInEnclave(enclave, { keyText: plain, keyFile, generation: 1 }))
  assert.match(sealed, /BEGIN STC SEALED KEY/)
  writeFileSync(keyFile, sealed)
  const options = { chain, anchors: [people.ca.certificate], realm: REALM, keyFile, bundle }
  const code = async (start: Parameters<typeof startVaultProcess>[0]): Promise<string> => {
    const r = await startVaultProcess(start)
    if (!r.ok) return r.fault.code
    await r.value.vault.close()
    return 'opened'
  }
  assert.equal(await code({ ...options, bundle: must(findBundle()) }), 'IDENTITY_ENCLAVE_ONLY', 'outside it does not open')
  device.seal(new Uint8Array(16).fill(2))
  assert.equal(await code({ ...options, enclave }), 'IDENTITY_ENCLAVE_OTHER', 'nor in another enclave')
  device.seal(new Uint8Array(16).fill(1))

  const { vault: ann, report } = must(await startVaultProcess({ ...options, enclave }))
  t.after(() => ann.close())
  assert.deepEqual({ enclave: report.enclave, isolated: report.isolated, locks: report.locks.map((l) => [l.name, l.had]) }, { enclave: true, isolated: true, locks: [['SGX enclave', true], ['Node permissions', true]] })

  const ben = must(createVault({ crypto, clock, processorRoot: intel.rootKey }, {
    ...people.person('Ben'), anchors: [people.ca.certificate], realm: REALM, keyProtection: 'process',
    enclaves: { measurements: ['aa'.repeat(32)], statuses: ['UpToDate'], collateral: [encodeCollateral(intel.collateral())] },
  }))
  const policy = { room: ROOM, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const
  const { view } = must(await ben.call('room.create', { policy, generation: 1 }))
  const { session, keyPackage } = must(await ann.call('room.request', { room: ROOM, suite: 'x25519' }))
  const made = must(await ben.call('room.propose', { session: view.session, adds: [{ id: 1, keyPackage }], removes: [] }))
  const seen = must(await ben.call('room.confirm', { session: view.session })).view.members.find((m) => m.identity.subject === 'Ann')!
  assert.equal(seen.keyProtection, 'enclave')
  assert.equal(seen.enclave?.proven === true && seen.enclave.measurement, 'aa'.repeat(32))
  assert.equal(seen.measurement, bundle.hash)
  must(await ann.call('room.welcome', { session, welcome: made.welcome! }))
  assert.equal(device.quotes, 1)
})
