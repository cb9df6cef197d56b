/** `stc join`: from an invitation's link to a certificate, a key made here, and a configuration. */
import { existsSync, readFileSync, unlinkSync } from 'node:fs'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { toHex } from '../base/bytes.ts'
import type { Fault } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { type Issued, Joining } from '../pki/enrolment/join.ts'
import { type Invitation, invitationKeys, parseLink } from '../pki/enrolment/link.ts'
import { PRIVATE_MODE, PUBLIC_MODE, replace, writeNew } from '../pki/files.ts'
import { decodePem, encodePem } from '../protocol/x509/pem.ts'
import { authorityAsker } from './authority.ts'
import { fileName } from './ca.ts'
import { callRoom } from './call.ts'
import { atLeastOne, currentTime } from './options.ts'
import { complain, EXIT, fail, say } from './output.ts'

const ASK_AGAIN_MS = 2000

export function registerJoin(program: Command): void {
  program.command('join')
    .description('use an invitation: makes a key on this machine and gets a certificate for it')
    .argument('<link>', 'the whole link, in quotes')
    .option('--out <prefix>', 'path of the files without .pem and .key; from your name unless given')
    .option('--config <file>', 'configuration to write when it is not there yet', 'stc.yaml')
    .option('--call <room>', 'call this room at once, from the terminal, as "stc call" does')
    .option('--play <file>', 'with --call: say this WAV file instead of the microphone')
    .option('--record <file>', 'with --call: write what is heard to this WAV file')
    .option('--for <seconds>', 'with --call: leave after this time', atLeastOne)
    .option('--with <people>', 'with --call: count the time of --for from when so many are in the room', atLeastOne)
    .action(join)
}

interface JoinOptions {
  readonly out?: string
  readonly config: string
  readonly call?: string
  readonly play?: string
  readonly record?: string
  readonly for?: number
  readonly with?: number
}

async function join(link: string, o: JoinOptions): Promise<void> {
  const invitation = parseLink(link)
  if (!invitation.ok) return fail(invitation.fault)
  const crypto = createNodeCrypto()
  // Kept until the certificate is here: whoever is interrupted goes on with the same key.
  const draft = `.stc-join-${toHex(crypto.hash('sha256', new TextEncoder().encode(invitationKeys(crypto, invitation.value.secret).id))).slice(0, 16)}.key`
  const joining = resume(crypto, invitation.value, draft)
  const kept = existsSync(draft) ? undefined : writeNew(draft, encodePem('PRIVATE KEY', joining.pkcs8), PRIVATE_MODE)
  if (kept !== undefined && !kept.ok) return fail(kept.fault)
  const issued = await wait(crypto, joining, draft)
  if (issued !== undefined && finish(issued, joining, draft, o) && o.call !== undefined) await callRoom(o.call, o)
}

function resume(crypto: CryptoPort, invitation: Invitation, draft: string): Joining {
  if (!existsSync(draft)) return new Joining(crypto, invitation)
  const pkcs8 = decodePem(readFileSync(draft, 'latin1'))[0]?.bytes
  return pkcs8 === undefined ? new Joining(crypto, invitation) : new Joining(crypto, invitation, pkcs8)
}

async function wait(crypto: CryptoPort, joining: Joining, draft: string): Promise<Issued | undefined> {
  const ask = authorityAsker(crypto)
  let told = false
  for (;;) {
    const answer = await joining.ask(ask, currentTime())
    if (!answer.ok) {
      // Whoever cannot be reached now is asked again with the same key; a refusal is final.
      if (answer.fault.code !== 'IDENTITY_ENROLMENT_UNREACHABLE') removeDraft(draft)
      fail(answer.fault)
      return undefined
    }
    if (answer.value !== undefined) return answer.value
    if (!told) say(`The authority has your request. Read this code to whoever invited you, by voice if you can:\n\n  ${joining.code}\n\nWaiting until they confirm (Ctrl-C and the same command later goes on) …`)
    told = true
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}

/** True when there is a configuration to call with. */
function finish(issued: Issued, joining: Joining, draft: string, o: JoinOptions): boolean {
  const prefix = o.out ?? fileName(issued.name)
  const files = { certificate: `${prefix}.pem`, key: `${prefix}.key`, anchor: `${prefix}-ca.pem` }
  const taken = [files.certificate, files.key, files.anchor].find((f) => existsSync(f))
  if (taken !== undefined) {
    process.exitCode = EXIT.failed
    complain(`stc: ${taken} exists already: nothing was overwritten. The same command with --out ANOTHER-NAME goes on.`)
    return false
  }
  for (const [file, content, mode] of [
    [files.key, encodePem('PRIVATE KEY', joining.pkcs8), PRIVATE_MODE], [files.anchor, encodePem('CERTIFICATE', issued.root), PUBLIC_MODE],
    [files.certificate, issued.chain.map((der) => encodePem('CERTIFICATE', der)).join(''), PUBLIC_MODE],
  ] as const) {
    const written = writeNew(file, content, mode)
    if (!written.ok) return failed(written.fault)
  }
  joining.pkcs8.fill(0)
  removeDraft(draft)
  say(`You are ${issued.name}. Wrote ${files.certificate}, ${files.key} (keep it to yourself) and ${files.anchor}.`)
  const { server, serverPort, realm, journal } = issued.settings
  if (server === undefined || existsSync(o.config)) {
    say(`Put them into your configuration: identity: {certificate: ${files.certificate}, key: ${files.key}, anchors: [${files.anchor}]}`)
    return false
  }
  const configured = writeNew(o.config, stringify({
    server: { host: server, ...(serverPort === undefined ? {} : { port: serverPort }) }, ...(realm === undefined ? {} : { realm }), ...(journal === undefined ? {} : { journal }),
    identity: { certificate: files.certificate, key: files.key, anchors: [files.anchor] }, phones: [{ line: 'phone' }],
  }), PUBLIC_MODE)
  if (!configured.ok) return failed(configured.fault)
  say(`Wrote ${o.config}.${o.call === undefined ? ` Next: stc client --config ${o.config}` : ''}`)
  return true
}

function failed(fault: Fault): false {
  fail(fault)
  return false
}

function removeDraft(draft: string): void {
  // Overwritten first: the key lives on in its own file alone.
  replace(draft, '', PRIVATE_MODE)
  unlinkSync(draft)
}
