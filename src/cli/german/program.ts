/** Help and complaints about what was typed, in German. */
import { type Command, Help } from 'commander'
import { HELP } from './help.ts'
import { translator } from './translate.ts'

const TITLES: Readonly<Record<string, string>> = { 'Usage:': 'Aufruf:', 'Arguments:': 'Argumente:', 'Options:': 'Optionen:', 'Global Options:': 'Allgemeine Optionen:', 'Commands:': 'Befehle:' }

/** What commander says of its own. */
const COMPLAINTS = translator([
  ["error: unknown option '{1}'", 'Fehler: unbekannte Option „{1}“'],
  ["error: unknown command '{1}'", 'Fehler: unbekannter Befehl „{1}“'],
  ["error: unknown option '{1}'\n(Did you mean {2}?)", 'Fehler: unbekannte Option „{1}“\n(Meinen Sie {2}?)'],
  ["error: unknown command '{1}'\n(Did you mean {2}?)", 'Fehler: unbekannter Befehl „{1}“\n(Meinen Sie {2}?)'],
  ["error: missing required argument '{1}'", 'Fehler: Das Argument „{1}“ fehlt'],
  ["error: option '{1}' argument missing", 'Fehler: Der Option „{1}“ fehlt ihr Wert'],
  ["error: required option '{1}' not specified", 'Fehler: Die Option „{1}“ fehlt'],
  ["error: option '{1}' cannot be used with option '{2}'", 'Fehler: Die Optionen „{1}“ und „{2}“ vertragen sich nicht'],
  ["error: option '{1}' argument '{2}' is invalid. Allowed choices are {3}.", 'Fehler: „{2}“ gibt es bei der Option „{1}“ nicht. Zur Wahl stehen {3}.'],
  ["error: option '{1}' argument '{2}' is invalid. {3}", 'Fehler: „{2}“ passt nicht zur Option „{1}“. {3}'],
  ["error: command-argument value '{1}' is invalid for argument '{2}'. Allowed choices are {3}.", 'Fehler: „{1}“ gibt es beim Argument „{2}“ nicht. Zur Wahl stehen {3}.'],
  ["error: command-argument value '{1}' is invalid for argument '{2}'. {3}", 'Fehler: „{1}“ passt nicht zum Argument „{2}“. {3}'],
  ['error: too many arguments for \'{1}\'. Expected {2} argument{3}', 'Fehler: zu viele Argumente für „{1}“: {2} erwartet'],
  ['error: too many arguments. Expected {1} argument{2}', 'Fehler: zu viele Argumente: {1} erwartet'],
])

const term = (t: string): string => t.replace('[options]', '[Optionen]').replace('[command]', '[Befehl]')
const extras = (t: string): string => t.replace(/ \((?=choices: |default: )/, ' (').replace('choices: ', 'zur Wahl: ').replace('default: ', 'sonst: ')
const german = (english: string): string => HELP[english] ?? english

/** For every command of this program. `json`: complaints are for programs, and stay as they are. */
export function speakGerman(program: Command, json: boolean): void {
  const help = new Help()
  for (const c of withAll(program)) {
    c.description(german(c.description())).helpOption('-h, --help', german('display help for command'))
    if (c.commands.length > 0) c.helpCommand('help [command]', german('display help for command'))
    for (const o of c.options) o.description = german(o.description)
    for (const a of c.registeredArguments) a.description = german(a.description)
    c.configureHelp({
      styleTitle: (t) => TITLES[t] ?? t,
      commandUsage: (x) => term(help.commandUsage(x)),
      subcommandTerm: (x) => term(help.subcommandTerm(x)),
      optionDescription: (o) => extras(help.optionDescription(o)),
      argumentDescription: (a) => extras(help.argumentDescription(a)),
    })
    if (!json) c.configureOutput({ outputError: (text, write) => write(complaint(text)) }).showHelpAfterError('(stc --help nennt die Befehle)')
  }
}
const withAll = (c: Command): Command[] => [c, ...c.commands.flatMap(withAll)]

/** As commander ends it: with a line break. */
export const complaint = (text: string): string => `${COMPLAINTS(text.trimEnd()) ?? text.trimEnd()}\n`
