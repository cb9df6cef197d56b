/** `stc join`: from an invitation's link to a certificate, a key made here, and a configuration. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { Fault } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { Issued } from '../pki/enrolment/join.ts'
import { parseLink } from '../pki/enrolment/link.ts'
import { PRIVATE_MODE, PUBLIC_MODE, writeNew } from '../pki/files.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { authorityAsker } from './authority.ts'
import { fileName } from './ca.ts'
import { callRoom } from './call.ts'
import { isFinal, type JoinDraft, openDraft } from './join-draft.ts'
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
  const draft = openDraft(crypto, invitation.value, '.')
  if (!draft.ok) return fail(draft.fault)
  const issued = await wait(crypto, draft.value)
  if (issued !== undefined && finish(issued, draft.value, o) && o.call !== undefined) await callRoom(o.call, o)
}

async function wait(crypto: CryptoPort, draft: JoinDraft): Promise<Issued | undefined> {
  const ask = authorityAsker(crypto)
  const { joining } = draft
  let told = false
  for (;;) {
    const answer = await joining.ask(ask, currentTime())
    if (!answer.ok) {
      if (isFinal(answer.fault)) draft.remove()
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
function finish(issued: Issued, draft: JoinDraft, o: JoinOptions): boolean {
  const { joining } = draft
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
  draft.remove()
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
