/** From a service that answers as Intel's does, into the file that servers and clients read. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { must } from '../../../src/base/result.ts'
import { type CollateralRequest, fetchCollateral } from '../../../src/pki/collateral.ts'
import { decodeCollateral, encodeCollateral } from '../../../src/protocol/sgx/collateral.ts'
import { verifyCollateral } from '../../../src/protocol/sgx/statements.ts'
import { crypto, NOW } from '../../kit/certificates.ts'
import { ProcessorMaker } from '../../kit/sgx.ts'

const intel = new ProcessorMaker()
const published = intel.collateral()

async function service(t: TestContext, change: (path: string, body: string | Uint8Array) => { status?: number; body?: string | Uint8Array; chain?: string } = () => ({})): Promise<CollateralRequest> {
  const answers: Record<string, readonly [string | Uint8Array, string, string]> = {
    '/sgx/certification/v4/tcb?fmspc=00A067110000': [`{"tcbInfo":${published.tcbInfo},"signature":"${toHex(published.tcbInfoSignature)}"}`, 'TCB-Info-Issuer-Chain', published.tcbInfoChain],
    '/sgx/certification/v4/qe/identity': [`{"enclaveIdentity":${published.qeIdentity},"signature":"${toHex(published.qeIdentitySignature)}"}`, 'SGX-Enclave-Identity-Issuer-Chain', published.qeIdentityChain],
    '/sgx/certification/v4/pckcrl?ca=platform&encoding=der': [published.pckCrl, 'SGX-PCK-CRL-Issuer-Chain', published.tcbInfoChain],
    '/root.der': [toHex(published.rootCrl), 'x-none', ''],
  }
  const server = createServer((request, response) => {
    const [body, header, chain] = answers[request.url!] ?? ['', 'x-none', '']
    const other = change(request.url!, body)
    response.writeHead(other.status ?? (body === '' ? 404 : 200), { [header]: other.chain ?? encodeURIComponent(chain) }).end(other.body ?? body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { family: '00a067110000', tee: 'sgx', issuer: 'platform', service: `${at}/`, rootList: `${at}/root.der` }
}

test('everything is fetched, octet for octet, and holds', async (t) => {
  const got = must(await fetchCollateral(await service(t)))
  assert.deepEqual(got, published)
  assert.deepEqual(must(verifyCollateral(crypto, got, NOW, intel.rootKey)).family, '00A0671100000000')
  assert.deepEqual(must(decodeCollateral(encodeCollateral(got))), published)
})

test('a service that lacks something, or answers otherwise, is named', async (t) => {
  const refused = async (change: Parameters<typeof service>[1]): Promise<string> => {
    const got = await fetchCollateral(await service(t, change))
    return got.ok ? 'taken' : `${got.fault.code}: ${got.fault.message}`
  }
  assert.match(await refused((path) => (path.includes('pckcrl') ? { status: 404 } : {})), /^ATTESTATION_FETCH.*pckcrl.*HTTP 404/)
  assert.match(await refused((path) => (path.includes('qe/identity') ? { body: '{"signature":"00","enclaveIdentity":{}}' } : {})), /^ATTESTATION_COLLATERAL.*qe\/identity/)
  assert.match(await refused((path) => (path.includes('tcb?') ? { body: new Uint8Array(200_000) } : {})), /^ATTESTATION_FETCH.*more than/)
  const nobody = await fetchCollateral({ ...(await service(t)), rootList: 'http://127.0.0.1:1/' })
  assert.match(nobody.ok ? '' : nobody.fault.message, /127\.0\.0\.1:1\//)
})
