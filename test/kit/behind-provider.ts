/** Softphones that call each other through a SIP server that knows nothing of stc: each behind a client of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { type Baresip, type BaresipOptions, startBaresip } from './phones/baresip.ts'
import { type Linphonec, type LinphonecOptions, startLinphonec } from './phones/linphonec.ts'
import { type ClientOptions, startClient, type StcClient, TestAuthority } from './stc.ts'
import { tone } from './tones.ts'
import { writeWav } from './wav.ts'

/** Seconds that a microphone has; phones do not loop it, and begin anew with every call. */
const SPEAKS = 240

/** Where the provider listens. */
export interface ProviderAt {
  readonly address: string
  readonly sip: number
}

export interface BehindProvider {
  readonly folder: string
  readonly authority: TestAuthority
  client(name: string, config?: Readonly<Record<string, unknown>>, more?: Pick<ClientOptions, 'inside'>): Promise<StcClient>
  /** A softphone with an account at the provider, through this client or directly; its microphone is a tone. */
  phone(name: string, hz: number, at: { readonly address: string; readonly port: number }, more?: Partial<BaresipOptions>): Promise<Baresip>
  linphonec(name: string, hz: number, at: { readonly address: string; readonly port: number }, more?: Partial<LinphonecOptions>): Promise<Linphonec>
}

export function behindProvider(t: Pick<TestContext, 'after'>, provider: ProviderAt, o: { readonly transport?: 'udp' | 'tcp' | 'tls'; readonly way?: Readonly<Record<string, unknown>> } = {}): BehindProvider {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-provider-'))
  // The last one first: what is still running would write into the folder while it goes.
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  t.after(async () => {
    for (const end of ends.toReversed()) await end()
  })
  const authority = new TestAuthority(folder, 'realm')
  const microphone = (name: string, hz: number): string => {
    const file = path.join(folder, `${name}.wav`)
    writeWav(file, tone(hz, { rate: 16000, seconds: SPEAKS }))
    return file
  }
  return {
    folder,
    authority,
    client: async (name, config = {}, more = {}) => {
      const way = { host: provider.address, port: provider.sip, transport: o.transport ?? 'udp', listen: { address: '127.0.0.1' }, ...o.way }
      const client = await startClient(folder, name, 0, authority.member(name), { config: { server: undefined, upstream: { providers: [way] }, page: false, spokenLabel: false, ...config }, ...more })
      ends.push(() => client.stop())
      return client
    },
    phone: async (name, hz, at, more = {}) => {
      // Its port may be one that it had in the call before: a late packet of that one, and baresip's buffer keeps it deaf.
      const phone = await startBaresip({ name, codecs: ['pcmu'], microphone: microphone(name, hz), autoAnswer: true, registrar: { ...at, password: `secret-${name}` }, unbuffered: true, ...more })
      ends.push(() => phone.stop())
      await phone.events.next('registered')
      return phone
    },
    linphonec: async (name, hz, at, more = {}) => {
      const phone = await startLinphonec({ name, codecs: ['pcmu'], microphone: microphone(name, hz), autoAnswer: true, registrar: { ...at, password: `secret-${name}` }, ...more })
      ends.push(() => phone.stop())
      await phone.events.next('registered')
      return phone
    },
  }
}
