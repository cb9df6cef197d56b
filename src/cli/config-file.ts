/** Which configuration a command means that was given none. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'

/** Where `stc setup` puts it. */
export const HOME_CONFIG = path.join(process.env['XDG_CONFIG_HOME'] ?? path.join(homedir(), '.config'), 'stc', 'client.yaml')
/** Where `stc join` puts it. */
const HERE = 'stc.yaml'

/** The option that commands about a client have in common. */
export const withConfig = (c: Command): Command => c.option('-c, --config <file>', `the client's configuration (else $STC_CONFIG, ./${HERE}, or that of "stc setup")`)

export function configFileOf(given: string | undefined): string {
  return path.resolve(given ?? process.env['STC_CONFIG'] ?? (existsSync(HERE) ? HERE : HOME_CONFIG))
}
