/** `stc invite`: a link and a picture of it for one new member. */
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import { unixTime } from '../base/brand.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { appendAudit } from '../pki/audit.ts'
import { readRoot } from '../pki/ca-directory.ts'
import { caFiles, readSettings } from '../pki/ca-files.ts'
import { Invitations, type InvitationState } from '../pki/enrolment/invitations.ts'
import { formatLink, newSecret } from '../pki/enrolment/link.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { decide, DEFAULT_DIR } from './ca.ts'
import { collect, currentTime, wholeDays } from './options.ts'
import { complain, EXIT, fail, say } from './output.ts'

const LOOK_MS = 1000

interface InviteOptions {
  readonly ca: string
  readonly org?: string
  readonly email: readonly string[]
  readonly days: number
  readonly valid: number
  readonly wait: boolean
  readonly confirmed?: boolean
  readonly qr: boolean
}

export function registerInvite(program: Command): void {
  program.command('invite')
    .description('invite somebody: prints a link that works once, and waits until it is used')
    .argument('<name>', 'the name that the certificate will show to everybody')
    .option('--ca <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--org <organisation>', 'organisation')
    .option('--email <address>', 'mail address (can be repeated)', collect, [])
    .option('--valid <days>', 'how long the link can be used', wholeDays, 7)
    .option('--days <days>', 'how long the certificate is valid; it renews itself', wholeDays, 90)
    .option('--no-wait', 'do not wait: confirm later with "stc ca confirm"')
    .option('--no-qr', 'the link alone')
    .option('--confirmed', 'let in whoever uses the link first, without asking')
    .action(invite)
}

async function invite(name: string, o: InviteOptions): Promise<void> {
  const crypto = createNodeCrypto()
  const root = readRoot(o.ca)
  if (!root.ok) return fail(root.fault)
  const settings = readSettings(o.ca)
  if (!settings.ok) return fail(settings.fault)
  const { host, port } = settings.value
  if (host === undefined || port === undefined) {
    process.exitCode = EXIT.config
    return complain('stc: this authority was made without --url: a link would lead nowhere. Make a new one with "stc ca init --url HOST:PORT".')
  }
  const secret = newSecret(crypto)
  const invitations = new Invitations(o.ca)
  const made = invitations.make(crypto, secret, { name, ...(o.org === undefined ? {} : { organisation: o.org }), emails: o.email, validDays: o.valid, lifetimeDays: o.days, confirmed: o.confirmed === true }, currentTime())
  if (!made.ok) return fail(made.fault)
  appendAudit(crypto, caFiles(o.ca).audit, { what: 'invite', name, until: made.value.until }, currentTime())
  const link = formatLink({ host, port, secret, fingerprint: crypto.hash('sha256', root.value) })
  if (o.qr) say(renderUnicodeCompact(link, { border: 2 }))
  say(`For ${name}, to be used once until ${formatTime(unixTime(made.value.until))}. Send it by a way that only ${name} reads:\n`)
  say(`  stc join '${link}'\n`)
  if (o.confirmed === true || !o.wait || process.stdin.isTTY !== true) {
    if (o.confirmed !== true) say(`When it is used, "stc ca list" shows a code: ask ${name} for theirs, and then: stc ca confirm "${name}"`)
    return
  }
  say(`Waiting until it is used ("stc ca serve" must run; Ctrl-C ends the waiting, "stc ca confirm" goes on later) …`)
  await confirmHere(o.ca, name, await used(invitations, made.value.id))
}

async function used(invitations: Invitations, id: string): Promise<InvitationState> {
  for (;;) {
    const state = invitations.get(id)
    if (state?.use !== undefined) return state
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

async function confirmHere(dir: string, name: string, state: InvitationState): Promise<void> {
  const { from, code } = state.use!
  say(`Somebody at ${from} used it. Ask ${name}, by voice if you can, which key code their machine shows.\n\n  ${code}\n`)
  const ask = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await ask.question(`Does ${name} see the same code? Let in? [y/N] `)
  ask.close()
  decide(dir, state, /^y(es)?$/i.test(answer.trim()))
}
