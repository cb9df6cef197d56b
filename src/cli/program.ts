/** All commands of `stc`. */
import { Command } from 'commander'
import { COMMANDS } from './commands.ts'
import { speakGerman } from './german/program.ts'
import { type Language, languageOf } from './language.ts'
import { speakJson } from './output.ts'
import { version } from './version.ts'

/**
 * The command that `words`, as typed, begin with; every command where they begin with none. Each with `--json`; complaints about what was
 * typed, too, which come before a command begins.
 */
export async function makeProgram(words: readonly string[] = [], language: Language = languageOf()): Promise<Command> {
  const json = words.includes('--json')
  const program = new Command('stc')
    .description('Telephone conferences from ordinary SIP phones that only the people on the roster can hear')
    .version(version, '-V, --version')
    .showHelpAfterError(json ? false : '(stc --help lists the commands)')
    .configureOutput(json ? { outputError: (text, write) => write(`${JSON.stringify({ error: text.trim().replace(/^error: /, '') })}\n`) } : {})
  for (const register of await Promise.all(partsFor(words[0]).map((p) => p.load()))) register(program)
  for (const c of withAction(program)) if (!c.options.some((o) => o.long === '--json')) c.option('--json', 'speak JSON, one value on each line')
  if (language === 'de') speakGerman(program, json)
  // Where a command and the one above it have the option, the one above takes it.
  return program.hook('preAction', (_, c) => speakJson(c.optsWithGlobals<{ json?: boolean }>().json === true))
}

const ALSO_ALONE = new Set(['server', 'doctor'])
/** Those that do something themselves: `server` beside what stands below it. */
const withAction = (c: Command): Command[] => [...(c.commands.length === 0 || ALSO_ALONE.has(c.name()) ? [c] : []), ...c.commands.flatMap(withAction)]

/** Completion knows every command; the version needs none. */
const partsFor = (name: string | undefined): typeof COMMANDS => {
  if (name === '-V' || name === '--version') return []
  const part = COMMANDS.find((p) => p.names.includes(name ?? ''))
  return part === undefined || name === 'completion' ? COMMANDS : [part]
}

export async function run(argv: readonly string[]): Promise<void> {
  const words = argv.slice(2)
  await (await makeProgram(words)).parseAsync(words, { from: 'user' })
}
