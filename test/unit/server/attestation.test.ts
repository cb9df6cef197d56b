/** What Intel publishes, from a file beside the server to the clients that want it, and again when it changes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { unixTime } from '../../../src/base/brand.ts'
import type { Stop } from '../../../src/base/ports.ts'
import { must, type Result } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import type { PlaneHandle } from '../../../src/media/plane/types.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { ROOM_LIMITS } from '../../../src/protocol/room/index.ts'
import { encodeCollateral } from '../../../src/protocol/sgx/collateral.ts'
import { decodeServerMessage, encodeClientMessage } from '../../../src/protocol/wire/codec.ts'
import { Attestation } from '../../../src/server/attestation.ts'
import { ServerCore } from '../../../src/server/core.ts'
import { watchFiles } from '../../../src/server/watched-files.ts'
import { readCollateral } from '../../../src/store/collateral-file.ts'
import { FakeTransport } from '../../kit/fake-transport.ts'
import { ProcessorMaker } from '../../kit/sgx.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const intel = new ProcessorMaker()
const first = encodeCollateral(intel.collateral())
const second = encodeCollateral(intel.collateral({ tcbInfo: intel.tcbInfo({ tcbEvaluationDataNumber: 18 }) }))
const plane = { local: { address: '127.0.0.1', port: 1 } } as PlaneHandle

test('clients with the capability get it at the start and when the file changes; what is no such file changes nothing', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-attestation-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'intel.json')
  let at = 1_700_000_000
  const write = (octets: Uint8Array | string): void => {
    writeFileSync(file, octets)
    utimesSync(file, ++at, at)
  }
  const clock = new VirtualClock()
  const attestation = new Attestation()
  const log: string[] = []
  const keep = { info: () => {}, warn: (f: object) => void log.push((f as { code: string }).code) }
  const watch = (): Result<Stop> => watchFiles([file], readCollateral, (set, name) => attestation.put(name, set), clock, keep)
  assert.equal(watch().ok, false, 'it has to be there')
  write(first)
  const stop = must(watch())
  const crypto = createNodeCrypto()
  const core = new ServerCore({ crypto, scheduler: clock, plane, log: keep, agent: 'stc', realm: 'test', advertise: [], roomLimits: ROOM_LIMITS, maximumRooms: 1, attestation })
  const client = (capabilities: string[]): (() => Uint8Array[]) => {
    const transport = new FakeTransport()
    core.connect({ identity: { subject: 'x', keyId: capabilities.join() } as Identity, chain: [], remote: plane.local, local: plane.local, exporter: () => new Uint8Array(64) }, transport, unixTime(clock.unix() + 1e6))
    transport.receive(must(encodeClientMessage({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities, agent: 'test' })))
    return () => transport.sent.map((b) => must(decodeServerMessage(b))).flatMap((m) => (m.k === 'attestation' ? m.collateral : []))
  }
  const [wants, not] = [client(['attestation']), client([])]
  assert.deepEqual(wants(), [first])
  write('{"no": 1}')
  await clock.advance(5500)
  assert.deepEqual([wants(), log.filter((code) => code.startsWith('ATTEST'))], [[first], ['ATTESTATION_COLLATERAL']])
  write(second)
  await clock.advance(5500)
  assert.deepEqual(wants(), [first, second])
  assert.deepEqual(not(), [])
  stop()
})
