/** `stc vault measure --enclave`: what it prints of a SIGSTRUCT, and what it refuses. No SGX is needed for either. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseSigstruct } from '../../../src/protocol/sgx/sigstruct.ts'
import { run } from '../../kit/processes.ts'

const program = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })

/** Laid out as Intel SDM 3D table 38-19 has it, signed with SHA-256 and PKCS #1 v1.5. */
function sigstruct(hash: Buffer, debug: boolean, key: KeyObject = privateKey): Buffer {
  const s = Buffer.alloc(1808)
  s.set(Buffer.from('06000000e10000000000010000000000', 'hex'), 0)
  s.set(Buffer.from('01010000600000006000000001000000', 'hex'), 24)
  s.set(Buffer.from(publicKey.export({ format: 'jwk' }).n!, 'base64url').reverse(), 128)
  s.writeUInt32LE(3, 512)
  s.writeUInt32LE(debug ? 6 : 4, 928)
  s.set(hash, 960)
  s.set(sign('sha256', Buffer.concat([s.subarray(0, 128), s.subarray(900, 1028)]), key).reverse(), 516)
  return s
}

async function measured(octets: Buffer, ...flags: string[]): Promise<{ code: number | string | null; said: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-sig-'))
  try {
    writeFileSync(path.join(folder, 'stc-vault.sig'), octets)
    const stc = run(process.execPath, [program, 'vault', 'measure', '--enclave', folder, ...flags])
    const code = await stc.exit
    return { code, said: stc.output() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('prints MRENCLAVE and MRSIGNER, and that the enclave is open for debugging; refuses what was not signed', { timeout: 60_000 }, async () => {
  const hash = randomBytes(32)
  const signer = createHash('sha256').update(Buffer.from(publicKey.export({ format: 'jwk' }).n!, 'base64url').reverse()).digest('hex')
  const changed = sigstruct(hash, false)
  changed[960]! ^= 1
  const other = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }).privateKey
  const [plain, json, ...refused] = await Promise.all([measured(sigstruct(hash, false)), measured(sigstruct(hash, true), '--json'), measured(changed), measured(sigstruct(hash, false, other))])
  assert.deepEqual([plain.code, plain.said.trim().split(/\s+/)], [0, ['MRENCLAVE', hash.toString('hex'), 'MRSIGNER', signer]])
  assert.deepEqual(JSON.parse(json.said), { mrEnclave: hash.toString('hex'), mrSigner: signer, debug: true })
  for (const { code, said } of refused) assert.deepEqual([code, /ATTESTATION_SIGSTRUCT/.test(said)], [1, true], said)
})

test('what is cut, longer or of another kind is no SIGSTRUCT', () => {
  const right = sigstruct(randomBytes(32), false)
  assert.ok(parseSigstruct(right).ok)
  const changed = (at: number): Buffer => {
    const s = Buffer.from(right)
    s[at]! ^= 1
    return s
  }
  for (const wrong of [right.subarray(0, 1807), Buffer.concat([right, Buffer.alloc(1)]), changed(0), changed(30), changed(512)]) {
    const read = parseSigstruct(wrong)
    assert.equal(read.ok ? '' : read.fault.code, 'ATTESTATION_SIGSTRUCT')
  }
})
