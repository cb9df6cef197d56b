/** `stc server asterisk-config`: what an existing Asterisk needs, written into its configuration. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { asteriskBlocks, type AsteriskFile, CONTEXT, FILES } from '../server/pbx/asterisk-config.ts'
import { fileFor, isFreePbx, readBlock, writeBlocks } from '../server/pbx/asterisk-files.ts'
import { complain, EXIT, fail, say } from './output.ts'

interface Options {
  readonly etc: string
  readonly conference: string[]
  readonly phone: string[]
  readonly context: string
  readonly agiPort: string
  readonly secretFile: string
  readonly dryRun?: true
}

/** `dialPlan.roomPrefix` of a client that says nothing else. */
const ROOM_PREFIX = '8'

export function registerAsteriskConfig(server: Command): void {
  const several = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]
  server
    .command('asterisk-config')
    .description('write what an existing Asterisk needs into its configuration')
    .option('--etc <folder>', 'where Asterisk keeps its configuration', '/etc/asterisk')
    .option('--conference <pattern>', 'an extension that is a conference, as in the dialplan (repeatable; _7XX unless given)', several)
    .option('--phone <name>', 'an endpoint for a phone behind stc, with a password made here (repeatable)', several)
    .option('--context <name>', 'where those phones dial', 'from-internal')
    .option('--agi-port <port>', 'where the stc server answers Asterisk', '4573')
    .option('--secret-file <file>', 'keeps the secret of the manager account, for the stc server', 'asterisk-ami.secret')
    .option('--dry-run', 'only show it')
    .action((_: unknown, command: Command) => run(command.opts<Options>()))
}

function run(o: Options): void {
  const [conferences, phones] = [o.conference ?? ['_7XX'], o.phone ?? []]
  const mistake = mistakeIn(o, conferences, phones)
  if (mistake !== undefined) {
    complain(`stc: ${mistake}`)
    process.exitCode = EXIT.usage
    return
  }
  if (!existsSync(path.join(o.etc, 'extensions.conf'))) {
    complain(`stc: ${o.etc} has no extensions.conf: name the folder of Asterisk's configuration with --etc`)
    process.exitCode = EXIT.usage
    return
  }
  const freePbx = isFreePbx(o.etc)
  const secret = existsSync(o.secretFile) ? readFileSync(o.secretFile, 'utf8').trim() : o.dryRun === true ? '(a new one)' : randomBytes(24).toString('base64url')
  const known = readBlock(fileFor(o.etc, 'pjsip', freePbx)) ?? ''
  const accounts = phones.map((name) => ({ name, password: passwordIn(known, name) ?? (o.dryRun === true ? '(a new one)' : randomBytes(12).toString('base64url')), context: o.context }))
  const blocks = asteriskBlocks({
    ami: { user: 'stc', secret, permit: ['127.0.0.1/255.255.255.255', '::1'] }, agi: { address: '127.0.0.1', port: Number(o.agiPort) }, conferences, phones: accounts,
  })
  if (o.dryRun === true) return show(o.etc, blocks, freePbx)
  const written = writeBlocks(o.etc, blocks, freePbx)
  if (!written.ok) return fail(written.fault)
  if (!existsSync(o.secretFile)) writeFileSync(o.secretFile, `${secret}\n`, { mode: 0o600 })
  say(written.value.length === 0 ? 'everything was there already' : `written${freePbx ? ' (FreePBX: only what it leaves to others)' : ''}: ${written.value.join(', ')}`)
  for (const a of accounts) say(`phone ${a.name}: password ${a.password}`)
  say(`secret of the manager account: ${path.resolve(o.secretFile)}`)
  say('')
  say('What is left to do:')
  say(`  1. let phones dial conferences: "include => ${CONTEXT}" in the context of your phones${freePbx ? ' ([from-internal-custom] in extensions_custom.conf)' : ''}`)
  say('  2. manager.conf, [general]: enabled = yes, bindaddr = 127.0.0.1')
  say('  3. asterisk -rx "core reload"')
  say('  4. in the configuration of the stc server:')
  say(`       pbx: { ami: { secretFile: ${path.resolve(o.secretFile)} }, agi: { port: ${o.agiPort} } }`)
  say('       sip: {}')
  say('  5. stc doctor pbx, with the stc server running')
  // The client takes its prefix before anything goes upstream: those conferences would be out of reach of phones behind stc.
  const taken = conferences.filter((c) => c.startsWith(ROOM_PREFIX) || c.startsWith(`_${ROOM_PREFIX}`))
  if (taken.length > 0) say(`  6. phones behind stc reach sealed rooms, not ${taken.join(', ')}, with numbers that begin with ${ROOM_PREFIX}: give dialPlan.roomPrefix of their clients another value`)
}

function mistakeIn(o: Options, conferences: readonly string[], phones: readonly string[]): string | undefined {
  const pattern = conferences.find((c) => !/^(_[0-9XZN.!*#[\]-]{1,40}|[0-9*#]{1,40})$/.test(c))
  if (pattern !== undefined) return `"${pattern}" is no extension or pattern, such as 700 or _7XX`
  const phone = phones.find((p) => !/^[A-Za-z0-9._-]{1,40}$/.test(p))
  if (phone !== undefined) return `"${phone}" is no name of a phone: letters, digits, . _ -`
  if (!/^[A-Za-z0-9._-]{1,79}$/.test(o.context)) return `"${o.context}" is no name of a context`
  return /^\d{1,5}$/.test(o.agiPort) && Number(o.agiPort) > 0 && Number(o.agiPort) < 65_536 ? undefined : `"${o.agiPort}" is no port`
}

/** A second run keeps the passwords that the phones have. */
const passwordIn = (block: string, name: string): string | undefined => new RegExp(`^username = ${name.replaceAll('.', '\\.')}\\npassword = (\\S+)$`, 'm').exec(block)?.[1]

function show(etc: string, blocks: Readonly<Record<AsteriskFile, string>>, freePbx: boolean): void {
  for (const f of FILES) say(`${fileFor(etc, f, freePbx)}:\n\n${blocks[f]}\n`)
}
