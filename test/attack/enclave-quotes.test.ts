/** A member shows a quote that is none, not of this key, of a debug enclave, of another program or maker, or outdated. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok } from '../../src/base/result.ts'
import type { EnclaveOptions } from '../../src/vault/api/options.ts'
import type { Quoter } from '../../src/vault/inside/identity-keeper.ts'
import { agree } from '../kit/conference-checks.ts'
import { BELIEVES, enclave, enclaveWorld, intel, looks, NOW, row } from '../kit/enclave-world.ts'
import { ProcessorMaker, report } from '../kit/sgx.ts'

/** What Ben's quote is like, and why Ann does not take it for an enclave. */
const BAD: Readonly<Record<string, { readonly quoter?: Quoter; readonly code: string; readonly ann?: EnclaveOptions }>> = {
  'says so alone': { code: 'ATTESTATION_NO_QUOTE' },
  'in debug mode': { quoter: intel.enclave({ attributes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0) }), code: 'ATTESTATION_DEBUG' },
  'another program': { quoter: intel.enclave({ mrEnclave: new Uint8Array(32).fill(0xab) }), code: 'ATTESTATION_MEASUREMENT' },
  'made for another key': { quoter: () => ok(intel.quote({ body: report({ reportData: new Uint8Array(64).fill(9) }) })), code: 'ATTESTATION_REPORT_DATA' },
  'another maker': { quoter: new ProcessorMaker(NOW).enclave(), code: 'ATTESTATION_CHAIN' },
  'no quote at all, octets': { quoter: () => ok(new Uint8Array(500).fill(3)), code: 'ATTESTATION_UNSUPPORTED' },
  'an outdated platform': { quoter: intel.enclave({}, { chain: intel.pckChain(intel.platform(Array<number>(16).fill(3), 8)) }), code: 'ATTESTATION_TCB' },
  'a viewer without Intel\'s words': { quoter: intel.enclave(), code: 'ATTESTATION_COLLATERAL', ann: { ...BELIEVES, collateral: [] } },
  'a viewer who believes in no program': { quoter: intel.enclave(), code: 'ATTESTATION_MEASUREMENT', ann: { ...BELIEVES, measurements: [] } },
}

for (const [what, { quoter, code, ann: believes }] of Object.entries(BAD)) {
  test(`not believed: ${what}`, async (t) => {
    const w = await enclaveWorld(t, {})
    const ann = await w.join('Ann', believes === undefined ? {} : { enclaves: believes })
    const ben = await w.join('Ben', { keyProtection: 'enclave', ...(quoter === undefined ? {} : { quoter }) })
    await agree(w, [ann, ben])
    const seen = row(ann, ben)
    assert.equal(seen.keyProtection, 'process')
    assert.deepEqual(seen.enclave?.proven === false ? seen.enclave.code : seen.enclave, code)
    assert.match(looks(ann, ben), /^keys: isolated process \(says the member's client\); claims an enclave, not proven: /)
  })

  if (believes === undefined) {
    test(`refused where the room asks for an enclave: ${what}`, async (t) => {
      const w = await enclaveWorld(t, { policy: { minimumKeyProtection: 'enclave' } })
      const ann = await w.join('Ann', enclave())
      const ben = await w.arrive('Ben', { keyProtection: 'enclave', ...(quoter === undefined ? {} : { quoter }) })
      ben.dial()
      await w.until(() => ben.over !== undefined, 60_000, 'the refusal')
      assert.match(ben.over?.reason ?? '', /keys are kept process, the room asks for enclave/)
      assert.deepEqual(ann.names, ['Ann'])
    })
  }
}
