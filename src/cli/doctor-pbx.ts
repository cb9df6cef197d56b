/** `stc doctor pbx`: looks at a running Asterisk and says in plain words what is missing or risky. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { connectTcp } from '../net/tcp.ts'
import { resolveAddresses } from '../net/resolve.ts'
import { realScheduler } from '../net/scheduler.ts'
import { readServerConfig, type ServerConfig } from '../server/index.ts'
import { tryManager } from '../server/pbx/try-manager.ts'
import { examine, type Rx, type SipWay } from '../server/pbx/examine.ts'
import { type Finding, showFindings, wrong } from './doctor/findings.ts'
import { EXIT, fail } from './output.ts'

interface Options {
  readonly config: string
  readonly asterisk: string
  readonly asteriskConfig?: string
  readonly fail2ban: string
}

export function registerDoctorPbx(doctor: Command): void {
  doctor
    .command('pbx')
    .description('look at the Asterisk behind a server: what is missing, what is risky')
    .option('-c, --config <file>', "the stc server's configuration")
    .option('--asterisk <program>', 'the program that asks a running Asterisk ("-rx")', 'asterisk')
    .option('--asterisk-config <file>', 'asterisk.conf, when it is not where that program looks')
    .option('--fail2ban <folder>', "fail2ban's configuration", '/etc/fail2ban')
    // `stc doctor` has --config as well and takes it, wherever it stands.
    .action((_: object, command: Command) => {
      const o = command.optsWithGlobals<Options>()
      return o.config === undefined ? command.error("error: required option '-c, --config <file>' not specified", { exitCode: EXIT.usage }) : run(o)
    })
}

async function run(o: Options): Promise<void> {
  const config = readServerConfig(o.config)
  if (!config.ok) return fail(config.fault)
  const { pbx } = config.value
  if (pbx === undefined) {
    return showFindings([wrong(`${o.config} has no "pbx": this server has no telephone system behind it`, 'add pbx.ami.secretFile; "stc server asterisk-config" shows the lines')])
  }
  const scheduler = realScheduler(false)
  const found: Finding[] = [
    await tryManager({ config: pbx, crypto: createNodeCrypto(), scheduler, connect: (events) => connectTcp(pbx.ami, events) }),
    ...(await examine({ rx: rxOf(o), amiUser: pbx.ami.user, server: addressesOf(config.value), ...(await wayOf(config.value)), fail2ban: textsIn(o.fail2ban) })),
  ]
  showFindings(found)
}

const rxOf = (o: Options): Rx => (command) =>
  new Promise((resolve) => {
    const child = spawn(o.asterisk, [...(o.asteriskConfig === undefined ? [] : ['-C', o.asteriskConfig]), '-rx', command], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 })
    let text = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => {
      text += chunk
    })
    child.on('error', () => resolve(undefined))
    child.on('close', (code) => resolve(code === 0 ? text : undefined))
  })

/** A name that nobody knows is nobody's machine: the server itself says so when it starts. */
async function wayOf({ sip }: ServerConfig): Promise<{ sip?: SipWay }> {
  if (sip === undefined) return {}
  const found = await resolveAddresses([{ address: sip.host, port: 0 }], () => {})
  const own = Object.values(networkInterfaces()).flatMap((i) => i ?? []).map((i) => i.address)
  const near = found.length === 0 || found.some(({ address }) => address.startsWith('127.') || own.includes(address))
  return { sip: { transport: sip.transport, ...(near ? {} : { far: sip.host }) } }
}

/** What Asterisk sees phones behind this server come from. */
function addressesOf(config: ServerConfig): string[] {
  const own = config.sip?.listen.address
  return own !== undefined ? [own] : ['127.0.0.1']
}

function textsIn(folder: string): string[] {
  const read = (file: string): string[] => {
    try {
      return [readFileSync(file, 'utf8')]
    } catch {
      return []
    }
  }
  let more: string[] = []
  try {
    more = readdirSync(path.join(folder, 'jail.d')).filter((f) => /\.(conf|local)$/.test(f)).sort().map((f) => path.join(folder, 'jail.d', f))
  } catch {
    // It is not there, or not ours to read: then it is not looked at.
  }
  return [path.join(folder, 'jail.conf'), path.join(folder, 'jail.local'), ...more].flatMap(read)
}
