/** `npm run bench -- NAME [--json]`: one measurement; without a name, the list. */
import { globSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What a bench gives: rows of named figures, and what limits them. */
export interface BenchTable {
  readonly name: string
  readonly rows: readonly Readonly<Record<string, string | number>>[]
  readonly remarks?: readonly string[]
}
export interface BenchModule {
  run(args: readonly string[]): Promise<BenchTable>
}

const here = fileURLToPath(new URL('.', import.meta.url))
const names = globSync('*.ts', { cwd: here }).map((f) => f.slice(0, -3)).filter((n) => n !== 'run' && !n.startsWith('_')).sort()
const [name, ...rest] = process.argv.slice(2)

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--json], where NAME is one of: ${names.join(', ')}`)
  process.exit(64)
}
const bench = (await import(new URL(`./${name}.ts`, import.meta.url).href)) as BenchModule
const table = await bench.run(rest.filter((a) => a !== '--json'))
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), date: new Date().toISOString().slice(0, 10) }
if (rest.includes('--json')) console.log(JSON.stringify({ ...table, machine }))
else {
  console.log(`${table.name}: Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${machine.date}`)
  console.table(table.rows)
  for (const r of table.remarks ?? []) console.log(r)
}
process.exit(0)
