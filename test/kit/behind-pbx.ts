/** Phones that reach a real Asterisk through stc: a server, clients, softphones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { type Asterisk, type AsteriskOptions, startAsterisk } from './asterisk.ts'
import { freePorts } from './free-ports.ts'
import { type Baresip, type BaresipOptions, startBaresip } from './phones/baresip.ts'
import { startClient, startServer, type StcClient, type StcServer, TestAuthority } from './stc.ts'
import { tone } from './tones.ts'
import { writeWav } from './wav.ts'

export interface BehindPbx {
  readonly asterisk: Asterisk
  readonly server: StcServer
  readonly authority: TestAuthority
  readonly folder: string
  /** `phone`: more of its line. */
  client(name: string, config?: Readonly<Record<string, unknown>>, phone?: Readonly<Record<string, unknown>>): Promise<StcClient>
  /** A softphone registered at Asterisk, through this client or directly; its microphone is a tone. */
  phone(name: string, hz: number, at: { readonly address: string; readonly port: number }, more?: Partial<BaresipOptions>): Promise<Baresip>
}

export interface BehindPbxOptions {
  readonly config: AsteriskOptions['config']
  readonly transport?: 'udp' | 'tcp' | 'tls'
  /** More addresses in the server's certificate. */
  readonly names?: readonly string[]
  /** More of the server's `sip`: what stands between it and Asterisk. */
  readonly towardsPbx?: (asterisk: Asterisk) => Promise<Readonly<Record<string, unknown>>>
  readonly serverConfig?: (asterisk: Asterisk, folder: string) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>
}

export async function behindPbx(t: TestContext, o: BehindPbxOptions): Promise<BehindPbx> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-behind-'))
  // The last one first: what is still running would write into the folder while it goes.
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  t.after(async () => {
    for (const end of ends.toReversed()) await end()
  })
  // An authority of its own: the PBX is not in the realm.
  const papers = o.transport === 'tls' ? new TestAuthority(folder, 'pbx').server() : undefined
  const asterisk = await startAsterisk({ config: o.config, ...(papers === undefined ? {} : { tls: papers }) })
  ends.push(() => asterisk.stop())
  const authority = new TestAuthority(folder, 'realm')
  const sip = await freePorts(2)
  const server = await startServer(folder, authority.server(...(o.names ?? [])), {
    sip: { host: asterisk.address, port: papers === undefined ? asterisk.sip : asterisk.tls, transport: o.transport ?? 'udp', listen: { address: '127.0.0.1', port: sip }, ...(papers === undefined ? {} : { anchors: papers.anchors, name: 'localhost' }), ...(await o.towardsPbx?.(asterisk)) }, ...(await o.serverConfig?.(asterisk, folder)),
  })
  ends.push(() => server.stop())
  return {
    asterisk, server, authority, folder,
    client: async (name, config = {}, phone = {}) => {
      const client = await startClient(folder, name, server.port, authority.member(name), { config: { upstream: 'server', page: false, spokenLabel: false, ...config }, phone })
      ends.push(() => client.stop())
      // A line each, and each connects by itself: a phone that registers before is told to come back later.
      await client.shows(new RegExp(`(connected to[\\s\\S]*){${1 + ((config.lines as unknown[] | undefined)?.length ?? 0)}}`))
      return client
    },
    phone: async (name, hz, at, more = {}) => {
      const microphone = path.join(folder, `${name}.wav`)
      writeWav(microphone, tone(hz, { rate: 16000, seconds: 240 }))
      const phone = await startBaresip({ name, codecs: ['g722', 'pcmu'], microphone, autoAnswer: true, registrar: { ...at, password: `secret-${name}` }, unbuffered: at.port === asterisk.sip, ...more })
      ends.push(() => phone.stop())
      await phone.events.next('registered')
      return phone
    },
  }
}
