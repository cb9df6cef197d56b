/** `stc password NUMBER`: what two people agreed on, so that their calls are sealed for nobody else, certificates or not. */
import { mkdirSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { err, ok, type Result } from '../base/result.ts'
import { clientConfig } from '../client/config.ts'
import { readConfig } from '../store/config.ts'
import { PASSWORD_LIMIT, readPasswords, writePassword } from '../store/call-passwords.ts'
import { askPassphrase } from './ask.ts'
import { configFileOf, withConfig } from './config-file.ts'
import { answer, fail, say } from './output.ts'
import { dataFiles } from './room-memory.ts'

interface Options {
  readonly config?: string
  readonly remove?: boolean
  readonly list?: boolean
  readonly passwordFile?: string
}

export function registerPassword(program: Command): void {
  withConfig(program.command('password').description('agree on a password for sealed calls with a number: the other side has to set the same'))
    .argument('[number]', 'as it is dialled, and as it is shown when it calls')
    .option('--remove', 'no password for this number any more')
    .option('--list', 'which numbers have one')
    .option('--password-file <file>', 'take it from the first line of this file instead of asking')
    .action((number: string | undefined, o: Options) => password(number, o))
}

async function password(number: string | undefined, o: Options): Promise<void> {
  const configFile = configFileOf(o.config)
  const config = readConfig(configFile, clientConfig)
  if (!config.ok) return fail(config.fault)
  const { folder, passwords: file } = dataFiles(config.value, configFile)
  if (number === undefined || o.list === true) {
    const all = readPasswords(file)
    if (!all.ok) return fail(all.fault)
    const numbers = [...all.value.keys()]
    return answer({ numbers }, numbers.length === 0 ? ['No number has a password ("stc password NUMBER" sets one).'] : numbers.map((n) => `${n} has a password`))
  }
  const wanted = o.remove === true ? ok(undefined) : await asked(number, o.passwordFile)
  if (!wanted.ok) return fail(wanted.fault)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const written = writePassword(file, number, wanted.value)
  if (!written.ok) return fail(written.fault)
  say(wanted.value === undefined ? `${number} has no password any more.` : `Calls with ${number} are sealed only where the other side has the same password. It counts from the next call on.`)
}

async function asked(number: string, file: string | undefined): Promise<Result<string>> {
  const first = file === undefined ? await askPassphrase(`Password for calls with ${number}: `) : lineOf(file)
  if (first === undefined) return err('CALL_PASSWORD', file === undefined ? 'there is no terminal to ask on' : `${file} cannot be read`)
  if (first.length === 0 || first.length > PASSWORD_LIMIT) return err('CALL_PASSWORD', `${first.length} characters`)
  if (file !== undefined) return ok(first)
  const second = await askPassphrase('Once more: ')
  return second === first ? ok(first) : err('CALL_PASSWORD', 'the two differ')
}
function lineOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0]
  } catch {
    return undefined
  }
}
