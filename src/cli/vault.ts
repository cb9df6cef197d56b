/** `stc vault`: what the vault process is, and what this machine lets it have. */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { toHex } from '../base/bytes.ts'
import { makeFault } from '../base/result.ts'
import { parseSigstruct, type Sigstruct } from '../protocol/sgx/sigstruct.ts'
import { findBundle } from '../vault/host/bundle.ts'
import { ENCLAVE_NAME, probeVault } from '../vault/host/process.ts'
import { answer, EXIT, fail } from './output.ts'

export function registerVault(program: Command): void {
  const vault = program.command('vault').description('the process that holds the keys of a client')
  vault
    .command('measure')
    .description('print the SHA-256 of the program that it runs, as rosters show it')
    .option('--enclave <folder>', 'of the enclave that bin/build-enclave.mjs built there: MRENCLAVE and MRSIGNER')
    .action((o: { readonly enclave?: string }) => {
      if (o.enclave !== undefined) return measureEnclave(o.enclave)
      const bundle = findBundle()
      if (!bundle.ok) return fail(bundle.fault)
      answer({ measurement: bundle.value.hash }, [bundle.value.hash])
    })
  vault
    .command('show')
    .description('start one without a key, and print how this machine locks it in')
    .action(show)
}

function measureEnclave(folder: string): void {
  const file = path.join(folder, `${ENCLAVE_NAME}.sig`)
  let octets: Uint8Array
  try {
    octets = readFileSync(file)
  } catch (e) {
    return fail(makeFault('IDENTITY_FILE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`))
  }
  const sig = parseSigstruct(octets)
  if (!sig.ok) return fail(makeFault('ATTESTATION_SIGSTRUCT', `${file}: ${sig.fault.message}`))
  if (!signedByItself(sig.value)) return fail(makeFault('ATTESTATION_SIGSTRUCT', `${file}: what it says is not what was signed`))
  const { debug } = sig.value
  const mrEnclave = toHex(sig.value.mrEnclave)
  const mrSigner = createHash('sha256').update(sig.value.modulus).digest('hex')
  answer({ mrEnclave, mrSigner, debug }, [
    `MRENCLAVE  ${mrEnclave}`,
    `MRSIGNER   ${mrSigner}`,
    ...(debug ? ['DEBUG: its memory can be read, nobody takes it for an enclave'] : []),
  ])
}

/** The key is in it: this finds a damaged file, not a stranger's. Whose it is, MRSIGNER says. */
function signedByItself({ modulus, signature, signed }: Sigstruct): boolean {
  const n = Buffer.from(modulus).reverse().toString('base64url')
  const key = createPublicKey({ key: { kty: 'RSA', n, e: 'Aw' }, format: 'jwk' })
  return verify('sha256', signed, key, Buffer.from(signature).reverse())
}

async function show(): Promise<void> {
  const bundle = findBundle()
  if (!bundle.ok) return fail(bundle.fault)
  const report = await probeVault(bundle.value)
  if (!report.ok) return fail(report.fault)
  answer(report.value, [
    `program        ${report.value.measurement}`,
    `protection     ${report.value.isolated ? 'isolated process' : 'in process: others of the same user can read its memory'}`,
    ...report.value.locks.map(({ name, had, detail }) => `${had ? 'yes' : ' no'}  ${name}${detail === '' ? '' : `: ${detail}`}`),
  ])
  process.exitCode = report.value.isolated ? EXIT.ok : EXIT.failed
}
