/** `stc vault`: what the vault process is, and what this machine lets it have. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { makeFault } from '../base/result.ts'
import { findBundle } from '../vault/host/bundle.ts'
import { ENCLAVE_NAME, probeVault } from '../vault/host/process.ts'
import { answer, EXIT, fail, say } from './output.ts'

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

/** SIGSTRUCT (Intel SDM 3D §38.13): modulus at 128, attributes at 928, ENCLAVEHASH at 960. */
function measureEnclave(folder: string): void {
  const file = path.join(folder, `${ENCLAVE_NAME}.sig`)
  try {
    const sig = readFileSync(file)
    if (sig.length < 1808) return fail(makeFault('IDENTITY_FILE_DAMAGED', file))
    say(`MRENCLAVE  ${sig.subarray(960, 992).toString('hex')}`)
    say(`MRSIGNER   ${createHash('sha256').update(sig.subarray(128, 512)).digest('hex')}`)
    if ((sig[928]! & 2) !== 0) say('DEBUG: its memory can be read, nobody takes it for an enclave')
  } catch (e) {
    fail(makeFault('IDENTITY_FILE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`))
  }
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
