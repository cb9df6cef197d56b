/** Members whose keys are in an enclave, as the others' own vaults see it: processors, quotes and Intel's words are the test's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { encodeCollateral } from '../../src/protocol/sgx/collateral.ts'
import { agree } from '../kit/conference-checks.ts'
import { BELIEVES, enclave, enclaveWorld, intel, looks, NOW, row } from '../kit/enclave-world.ts'
import { seededTest } from '../kit/seeded-random.ts'
import { ProcessorMaker } from '../kit/sgx.ts'

seededTest('everybody sees who is in a verified enclave, and which; a process and the client itself are told apart', async (seed, t) => {
  const w = await enclaveWorld(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', enclave()), await w.join('Ben', { keyProtection: 'process', measurement: 'cd'.repeat(32) }), await w.join('Cas')]
  await agree(w, [ann, ben, cas])
  for (const m of [ann, ben, cas]) {
    assert.equal(looks(m, ann), 'keys: SGX enclave (measurement aaaaaaaaaaaaaaaa)')
    assert.equal(looks(m, ben), 'keys: isolated process (says the member\'s client, program cdcdcdcdcdcdcdcd)')
    assert.equal(looks(m, cas), 'keys: in process')
    assert.equal(row(m, ann).keyProtection, 'enclave')
  }
})

test('a room that asks for an enclave takes one, and no process', async (t) => {
  const w = await enclaveWorld(t, { policy: { minimumKeyProtection: 'enclave' } })
  const [ann, ben] = [await w.join('Ann', enclave()), await w.join('Ben', enclave())]
  await agree(w, [ann, ben])
  const cas = await w.arrive('Cas', { keyProtection: 'process' })
  cas.dial()
  await w.until(() => cas.over !== undefined, 60_000, 'the refusal')
  assert.match(cas.over?.reason ?? '', /keys are kept process, the room asks for enclave/)
  await agree(w, [ann, ben])
})

test('Intel\'s words come later, by the server: the roster says so from then on; a revoked processor is taken back', async (t) => {
  const w = await enclaveWorld(t, { enclaves: { ...BELIEVES, collateral: [] } })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben', enclave())]
  await agree(w, [ann, ben])
  assert.equal(row(ann, ben).keyProtection, 'process')
  const learn = async (collateral: Uint8Array): Promise<readonly string[]> => {
    const { changed, refused } = must(await ann.vault.call('attestation.update', { collateral: [collateral] }))
    if (changed) ann.call.input({ kind: 'recheck' })
    await w.run(100)
    return refused
  }
  const forged = new ProcessorMaker(NOW)
  assert.deepEqual(await learn(encodeCollateral(forged.collateral())), ['ATTESTATION_CHAIN'])
  assert.equal(row(ann, ben).keyProtection, 'process', 'from another maker it counts for nothing')
  assert.deepEqual(await learn(BELIEVES.collateral![0]!), [])
  assert.equal(row(ann, ben).keyProtection, 'enclave')

  const later = new ProcessorMaker(unixTime(NOW + 60))
  Object.assign(later, { root: intel.root, pckCa: intel.pckCa, pck: intel.pck, tcbSigner: intel.tcbSigner })
  const tcbInfo = { ...later.tcbInfo() }
  assert.deepEqual(await learn(encodeCollateral(later.collateral({ tcbInfo, revoked: [intel.pck] }))), [])
  assert.deepEqual(row(ann, ben).enclave?.proven === false ? row(ann, ben).enclave : undefined, { proven: false, code: 'ATTESTATION_CHAIN', reason: (row(ann, ben).enclave as { reason: string }).reason })
  assert.deepEqual(await learn(BELIEVES.collateral![0]!), [])
  assert.equal(row(ann, ben).keyProtection, 'process', 'what is older does not come back')
})

test('Intel\'s word has ended: the enclave is one no more, and where the room asks for one nothing of that member counts', async (t) => {
  const short = encodeCollateral(intel.collateral({ tcbInfo: intel.tcbInfo({ nextUpdate: new Date((NOW + 600) * 1000).toISOString().replace('.000', '') }) }))
  for (const minimumKeyProtection of ['in-process', 'enclave'] as const) {
    const w = await enclaveWorld(t, { policy: { minimumKeyProtection }, enclaves: BELIEVES })
    const ann = await w.join('Ann', { ...enclave(), enclaves: { ...BELIEVES, collateral: [short] } })
    const ben = await w.join('Ben', enclave())
    await agree(w, [ann, ben])
    assert.equal(row(ann, ben).keyProtection, 'enclave')
    await w.run(700_000)
    const { view } = must(await ann.vault.call('room.check', { session: ann.view!.session }))
    assert.deepEqual(view.members.map((m) => m.keyProtection), minimumKeyProtection === 'enclave' ? view.members.map(() => 'process') : ['process', 'process'])
    assert.deepEqual(view.expired.length > 0, minimumKeyProtection === 'enclave')
  }
})
