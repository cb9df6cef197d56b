/** All of the bridged system: a real Asterisk as `stc server asterisk-config` sets it up, the server coupled to it, clients and phones. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { asteriskBlocks } from '../../src/server/pbx/asterisk-config.ts'
import { type AsteriskOptions, endpoint } from './asterisk.ts'
import { type BehindPbx, behindPbx, type BehindPbxOptions } from './behind-pbx.ts'
import { freePorts } from './free-ports.ts'
import { until } from './processes.ts'
import { TcpSwitch } from './tcp-switch.ts'

export const PHONES = ['anna', 'bert', 'carl', 'dora'] as const

export interface CoupledRelay extends BehindPbx {
  /** Between the server and Asterisk's manager interface. */
  readonly ami: TcpSwitch
  /** Legs that Asterisk has, announcers of conferences left out. */
  legs(): Promise<string[]>
}

export interface CoupledRelayOptions {
  /** Of the server's configuration. */
  readonly conferences?: Readonly<Record<string, unknown>>
  readonly transport?: 'udp' | 'tcp' | 'tls'
  readonly towardsPbx?: BehindPbxOptions['towardsPbx']
  /** Lines of every endpoint. */
  readonly endpoint?: string
  /** Lines of the context that phones are in; 600 echoes, 112 as well, 7XX are conferences, names ring phones. */
  readonly dialplan?: string
  readonly more?: AsteriskOptions['config']
  readonly serverConfig?: Readonly<Record<string, unknown>>
}

export async function coupledRelay(t: TestContext, o: CoupledRelayOptions = {}): Promise<CoupledRelay> {
  const agi = await freePorts(2)
  const blocks = asteriskBlocks({ ami: { user: 'stc', secret: 'only for tests', permit: ['127.0.0.1/32'] }, agi: { address: '127.0.0.1', port: agi }, conferences: ['_7XX'], phones: [] })
  let ami: TcpSwitch | undefined
  const extensions = `${blocks.extensions}\n[phones]\ninclude => stc-conferences\nexten => 600,1,Answer()\n same => n,Echo()\nexten => 112,1,Answer()\n same => n,Echo()\n${o.dialplan ?? ''}\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20,Tt)\n`
  const world = await behindPbx(t, {
    ...(o.transport === undefined ? {} : { transport: o.transport }),
    ...(o.towardsPbx === undefined ? {} : { towardsPbx: o.towardsPbx }),
    config: (at, folder) => {
      const own = { 'manager.conf': blocks.manager, 'confbridge.conf': blocks.confbridge, 'pjsip.conf': PHONES.map((n) => endpoint(n, { more: o.endpoint ?? '' })).join('\n'), 'extensions.conf': extensions }
      const more = o.more?.(at, folder) ?? {}
      return Object.fromEntries([...new Set([...Object.keys(own), ...Object.keys(more)])].map((f) => [f, `${(own as Record<string, string>)[f] ?? ''}\n${more[f] ?? ''}`]))
    },
    serverConfig: async (asterisk, folder) => {
      ami = await TcpSwitch.to(asterisk.ami)
      t.after(() => ami?.close())
      const secretFile = path.join(folder, 'ami.secret')
      writeFileSync(secretFile, 'only for tests\n', { mode: 0o600 })
      return { pbx: { ami: { port: ami.port, secretFile }, agi: { port: agi }, conferences: o.conferences ?? {} }, ...o.serverConfig }
    },
  })
  await until(10_000, 'sight of Asterisk', () => /sees the conferences/.test(world.server.process.output()) || undefined, world.server.process.tail)
  return {
    ...world, ami: ami!,
    legs: async () => (await world.asterisk.cli('core show channels concise')).split('\n').map((l) => l.split('!')[0]!).filter((c) => c.startsWith('PJSIP/')),
  }
}

export const at = (extension: string, a: { readonly address: string; readonly port: number }): string => `sip:${extension}@${a.address}:${a.port}`
