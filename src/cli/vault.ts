/** `stc vault`: what the vault process is, and what this machine lets it have. */
import type { Command } from 'commander'
import { findBundle } from '../vault/host/bundle.ts'
import { probeVault } from '../vault/host/process.ts'
import { answer, EXIT, fail } from './output.ts'

export function registerVault(program: Command): void {
  const vault = program.command('vault').description('the process that holds the keys of a client')
  vault
    .command('measure')
    .description('print the SHA-256 of the program that it runs, as rosters show it')
    .action(() => {
      const bundle = findBundle()
      if (!bundle.ok) return fail(bundle.fault)
      answer({ measurement: bundle.value.hash }, [bundle.value.hash])
    })
  vault
    .command('show')
    .description('start one without a key, and print how this machine locks it in')
    .action(show)
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
