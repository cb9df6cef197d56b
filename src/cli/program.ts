/** All commands of `stc`. */
import { Command } from 'commander'
import { registerAttestation } from './attestation.ts'
import { registerBackup } from './backup.ts'
import { registerBlock } from './block.ts'
import { registerCa } from './ca.ts'
import { registerCompletion } from './completion.ts'
import { registerExplain } from './explain.ts'
import { registerDoctor } from './doctor.ts'
import { registerDoctorPki } from './doctor-pki.ts'
import { speakGerman } from './german/program.ts'
import { registerIdentity } from './identity.ts'
import { registerInvite } from './invite.ts'
import { registerJoin } from './join.ts'
import { registerCall } from './call.ts'
import { registerClient } from './client.ts'
import { registerDemo } from './demo.ts'
import { registerDoctorPbx } from './doctor-pbx.ts'
import { registerJournal } from './journal.ts'
import { registerHost } from './host.ts'
import { registerKey } from './key.ts'
import { type Language, languageOf } from './language.ts'
import { speakJson } from './output.ts'
import { registerPassword } from './password.ts'
import { registerReport } from './report.ts'
import { registerRoom } from './room.ts'
import { registerServer } from './server.ts'
import { registerSetup } from './setup.ts'
import { registerStatus } from './status.ts'
import { registerVault } from './vault.ts'
import { version } from './version.ts'

/** Every command, each with `--json`; complaints about what was typed, too, which come before a command begins. */
export function makeProgram(argv: readonly string[] = process.argv, language: Language = languageOf()): Command {
  const json = argv.includes('--json')
  const program = new Command('stc')
    .description('Telephone conferences from ordinary SIP phones that only the people on the roster can hear')
    .version(version, '-V, --version')
    .showHelpAfterError(json ? false : '(stc --help lists the commands)')
    .configureOutput(json ? { outputError: (text, write) => write(`${JSON.stringify({ error: text.trim().replace(/^error: /, '') })}\n`) } : {})
  registerClient(program)
  registerSetup(program)
  registerCall(program)
  registerPassword(program)
  registerStatus(program)
  registerReport(program)
  registerHost(program)
  registerServer(program)
  registerRoom(program)
  registerBlock(program)
  registerCa(program)
  registerInvite(program)
  registerJoin(program)
  registerIdentity(program)
  const doctor = registerDoctor(program)
  registerDoctorPki(doctor)
  registerDoctorPbx(doctor)
  registerVault(program)
  registerKey(program)
  registerAttestation(program)
  registerJournal(program)
  registerBackup(program)
  registerDemo(program)
  registerExplain(program)
  registerCompletion(program)
  for (const c of withAction(program)) if (!c.options.some((o) => o.long === '--json')) c.option('--json', 'speak JSON, one value on each line')
  if (language === 'de') speakGerman(program, json)
  // Where a command and the one above it have the option, the one above takes it.
  return program.hook('preAction', (_, c) => speakJson(c.optsWithGlobals<{ json?: boolean }>().json === true))
}

const ALSO_ALONE = new Set(['server', 'doctor'])
/** Those that do something themselves: `server` beside what stands below it. */
const withAction = (c: Command): Command[] => [...(c.commands.length === 0 || ALSO_ALONE.has(c.name()) ? [c] : []), ...c.commands.flatMap(withAction)]

export async function run(argv: readonly string[]): Promise<void> {
  await makeProgram(argv).parseAsync(argv)
}
