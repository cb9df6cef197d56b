/** Sets the demo's stage: a throw-away authority, certificates and configurations in a folder of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { unixTime } from '../base/brand.ts'
import { must, type Result, ok } from '../base/result.ts'
import { type ClientConfig, clientConfig } from '../client/config.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { initCa, issueToFiles } from '../pki/ca-directory.ts'

export interface Stage extends Disposable {
  readonly folder: string
  readonly serverConfig: string
  readonly clients: readonly { readonly name: string; readonly config: ClientConfig; readonly configFile: string }[]
}

export interface StageOptions {
  readonly serverPort: number
  /** Where members believe the server's media port to be. */
  readonly mediaPort?: number
  readonly names: readonly string[]
  /** Phones of the first client. */
  readonly phones: ClientConfig['phones']
  /** What its page offers to call. */
  readonly rooms?: Record<string, object>
}

const LIFETIME_DAYS = 2

/** Nothing of it outlives the demo. */
export function setStage(crypto: CryptoPort, options: StageOptions): Result<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-demo-'))
  // The keys in it go even when a second Ctrl-C ends everything at once.
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const now = unixTime(Math.floor(Date.now() / 1000))
  const authority = path.join(folder, 'ca')
  const made = initCa(crypto, authority, { name: 'stc demo CA', now })
  if (!made.ok) return made
  using ca = made.value
  const issue = (name: string, kind: 'member' | 'server', file: string): Result<unknown> =>
    issueToFiles(ca, authority, { name, kind, now, lifetimeDays: LIFETIME_DAYS, ...(kind === 'server' ? { hosts: ['localhost', '127.0.0.1'] } : { organisation: 'stc demo' }) }, path.join(folder, file))
  must(issue('localhost', 'server', 'server'))
  const serverConfig = path.join(folder, 'server.json')
  writeFileSync(serverConfig, JSON.stringify({
    listen: { address: '127.0.0.1', port: options.serverPort },
    identity: { certificate: 'server.pem', key: 'server.key', anchors: ['ca/ca.pem'] },
    realm: 'demo',
    ...(options.mediaPort === undefined ? {} : { advertise: [{ address: '127.0.0.1', port: options.mediaPort }] }),
    log: 'warn',
  }, null, 2))
  const clients = options.names.map((name, i) => {
    must(issue(name, 'member', `member-${i}`))
    const config = clientConfig.parse({
      server: { host: '127.0.0.1', port: options.serverPort, name: 'localhost' },
      identity: { certificate: `member-${i}.pem`, key: `member-${i}.key`, anchors: ['ca/ca.pem'] },
      realm: 'demo', phones: i === 0 ? options.phones : [], rooms: i === 0 ? options.rooms ?? {} : {},
    })
    const configFile = path.join(folder, `member-${i}.json`)
    writeFileSync(configFile, JSON.stringify(config, null, 2))
    return { name, config, configFile }
  })
  return ok({ folder, serverConfig, clients, [Symbol.dispose]: remove })
}
