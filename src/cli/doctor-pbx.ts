/** `stc doctor pbx`: looks at a running Asterisk and says in plain words what is missing or risky. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { connectTcp } from '../net/tcp.ts'
import { realScheduler } from '../net/scheduler.ts'
import { readServerConfig, type ServerConfig } from '../server/index.ts'
import { tryManager } from '../server/pbx/try-manager.ts'
import { examine, type Finding, type Rx } from '../server/pbx/examine.ts'
import { EXIT, fail, say } from './output.ts'

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
    .requiredOption('-c, --config <file>', "the stc server's configuration")
    .option('--asterisk <program>', 'the program that asks a running Asterisk ("-rx")', 'asterisk')
    .option('--asterisk-config <file>', 'asterisk.conf, when it is not where that program looks')
    .option('--fail2ban <folder>', "fail2ban's configuration", '/etc/fail2ban')
    .action((options: Options) => run(options))
}

const MARK = { good: 'ok   ', wrong: 'WRONG', risky: 'risky', unknown: '?    ' } as const

async function run(o: Options): Promise<void> {
  const config = readServerConfig(o.config)
  if (!config.ok) return fail(config.fault)
  const { pbx } = config.value
  if (pbx === undefined) {
    say(`${MARK.wrong} ${o.config} has no "pbx": this server has no telephone system behind it`)
    say('      → Add pbx.ami.secretFile; "stc server asterisk-config" shows the lines.')
    process.exitCode = EXIT.failed
    return
  }
  const scheduler = realScheduler(false)
  const found: Finding[] = [
    await tryManager({ config: pbx, crypto: createNodeCrypto(), scheduler, connect: (events) => connectTcp(pbx.ami, events) }),
    ...(await examine({ rx: rxOf(o), amiUser: pbx.ami.user, server: addressesOf(config.value), fail2ban: textsIn(o.fail2ban) })),
  ]
  for (const f of found) {
    say(`${MARK[f.level]} ${f.text}`)
    if (f.todo !== undefined) say(`      → ${f.todo}`)
  }
  const count = (level: Finding['level']): number => found.filter((f) => f.level === level).length
  say(`${count('wrong')} wrong, ${count('risky')} risky, ${count('good')} in order`)
  process.exitCode = count('wrong') > 0 ? EXIT.failed : EXIT.ok
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
