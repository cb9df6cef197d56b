/** `stc journal`: what this client has recorded of its conferences. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Result } from '../base/result.ts'
import { toHex } from '../base/bytes.ts'
import { clientConfig, linesOf } from '../client/config.ts'
import { type JournalSummary, type NumberedEntry, readAll } from '../client/journal/reading.ts'
import { journalLine } from '../client/journal/words.ts'
import { readConfig } from '../store/config.ts'
import { journalFolder } from './compose-journal.ts'
import { complain, fail, say } from './output.ts'
import { withVault } from './with-vault.ts'

interface Options {
  readonly config: string
  readonly line?: string
  readonly room?: string
  readonly call?: string
  readonly since?: number
  readonly after?: number
  readonly json?: boolean
}

export function registerJournal(program: Command): void {
  const journal = program.command('journal').description('what this client has recorded: who was in which conference when, acts, epochs, what failed to verify')
  const filtered = (c: Command): Command => withConfig(c)
    .option('--room <name>', 'of this room alone').option('--call <id>', 'of this call alone, as rosters and the server\'s log name it')
    .option('--since <day>', 'from this day on, YYYY-MM-DD (UTC)', day).option('--after <number>', 'from behind this entry on', number)
  filtered(journal.command('show').description('in sentences')).action((o: Options) => print(o, (e) => say(journalLine(e.number, e.entry))))
  withConfig(journal.command('verify').description('read all of it and say whether it is as it was written; ends with 1 where not')).option('--json', 'as one JSON object').action(verify)
  filtered(journal.command('export').description('one JSON object a line, for a log collector'))
    .addOption(new Option('--format <format>', 'how it is written').choices(['jsonl']).default('jsonl').hideHelp())
    .action((o: Options) => print(o, (e) => say(jsonOf(e))))
}

const withConfig = (c: Command): Command => c.requiredOption('-c, --config <file>', 'the client\'s configuration').option('--line <name>', 'of this line, where the configuration has several')

function day(text: string): number {
  const ms = Date.parse(`${text}T00:00:00Z`)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(ms)) throw new InvalidArgumentError('a day such as 2026-11-22.')
  return ms / 1000
}
function number(text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('the number of an entry.')
  return n
}

/** One JSON object. Octets are hex. */
export const jsonOf = ({ number: n, entry }: NumberedEntry): string =>
  JSON.stringify({ number: n, ...entry, time: new Date(entry.time * 1000).toISOString() }, (_, v: unknown) => (v instanceof Uint8Array ? toHex(v) : v))

const wanted = (o: Options) => ({ number: n, entry }: NumberedEntry): boolean =>
  (o.room === undefined || ('room' in entry && entry.room === o.room)) && (o.call === undefined || ('call' in entry && entry.call === o.call)) && entry.time >= (o.since ?? 0) && n > (o.after ?? 0)

async function read(o: Options, each: (e: NumberedEntry) => void): Promise<Result<JournalSummary>> {
  const config = readConfig(o.config, clientConfig)
  if (!config.ok) return config
  const line = linesOf(config.value).find((l) => o.line === undefined || l.phones[0]?.line === o.line)
  return withVault(o.config, async ({ vault, config: used }) => {
    const folder = await journalFolder(used, o.config, vault)
    return folder.ok ? readAll(vault, folder.value, each) : folder
  }, line, { journalOnly: true })
}

/** Nothing of a journal that does not verify is printed as if it were good. */
async function print(o: Options, each: (e: NumberedEntry) => void): Promise<void> {
  const all: NumberedEntry[] = []
  const fits = wanted(o)
  const done = await read(o, (e) => {
    if (fits(e)) all.push(e)
  })
  if (!done.ok && all.length > 0) complain('stc: what follows stands before the place where it does not verify')
  for (const e of all) each(e)
  if (!done.ok) fail(done.fault)
}

async function verify(o: Options): Promise<void> {
  const done = await read(o, () => {})
  if (!done.ok) {
    if (o.json === true) say(JSON.stringify({ good: false, code: done.fault.code, text: done.fault.message }))
    return fail(done.fault)
  }
  const { entries, first, last, checkpoints, torn } = done.value
  if (o.json === true) return say(JSON.stringify({ good: true, entries, first, last, torn, checkpoints: checkpoints.map((c) => ({ ...c, time: new Date(c.time * 1000).toISOString() })) }))
  say(`good: ${entries} entries, records ${first} to ${last}, nothing changed, left out or cut off`)
  if (first > 1) say(`records 1 to ${first - 1} were deleted, as the journal itself says`)
  for (const c of checkpoints.slice(-5)) say(`checkpoint ${c.number}, ${new Date(c.time * 1000).toISOString()}, signed by key ${c.by.slice(0, 16)}, over ${c.before}`)
  if (torn > 0) say(`${torn} octets behind the end: a record that was being written when the machine stopped`)
}

