/** A real server on loopback with papers of a throw-away authority, its log in memory, and raw clients for its doors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { type Der, unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { Authority, CertificateRequest } from '../../src/pki/authority.ts'
import { createCa, issueCertificate } from '../../src/pki/authority.ts'
import { decodeServerMessage, encodeClientMessage } from '../../src/protocol/wire/codec.ts'
import type { ClientMessage, ServerMessage } from '../../src/protocol/wire/messages.ts'
import { type Log, type Server, type ServerConfig, serverConfig, startServer } from '../../src/server/index.ts'
import type { Vault } from '../../src/vault/api/calls.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { realScheduler } from '../../src/net/scheduler.ts'

export const crypto = createNodeCrypto()
const nowUnix = () => unixTime(Math.floor(Date.now() / 1000))
export const DAY_S = 86_400

export const pem = (label: string, der: Uint8Array): string => `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`

export interface Papers {
  readonly chain: readonly Der[]
  readonly pkcs8: Uint8Array
}
export const newAuthority = (name = 'Test CA', ageDays = 400): Authority => createCa(crypto, { name, now: unixTime(nowUnix() - ageDays * DAY_S) })
export const papersFor = (ca: Authority, request: Partial<CertificateRequest> = {}): Papers => issueCertificate(ca, { name: 'Ann Example', kind: 'member', now: nowUnix(), ...request })

export interface RealServer {
  readonly server: Server
  readonly ca: Authority
  readonly port: number
  /** Lines of the log: code and sentence. */
  readonly log: { code?: string; text: string }[]
}

export async function realServer(t: TestContext, change: Partial<ServerConfig> = {}): Promise<RealServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ca = newAuthority()
  const own = papersFor(ca, { name: 'server', kind: 'server', hosts: ['localhost', '127.0.0.1'] })
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 })
    return path.join(folder, name)
  }
  const identity = {
    certificate: file('server.pem', own.chain.map((d) => pem('CERTIFICATE', d)).join('')), key: file('server.key', pem('PRIVATE KEY', own.pkcs8)),
    anchors: [file('ca.pem', pem('CERTIFICATE', ca.certificate))],
  }
  const log: RealServer['log'] = []
  const keep = (fields: object, text: string): void => void log.push({ ...fields, text })
  const memory: Log = { info: keep, warn: keep }
  const server = must(await startServer({ ...serverConfig.parse({ listen: { address: '127.0.0.1', port: 0 }, identity, log: 'silent' }), ...change }, memory))
  t.after(() => server.close())
  return { server, ca, port: server.address.port, log }
}

export function vaultOf(own: Papers, ...trusted: readonly Authority[]): Vault {
  const world = { crypto, clock: realScheduler() }
  return must(createVault(world, { chain: own.chain, pkcs8: own.pkcs8, anchors: trusted.map((a) => a.certificate), realm: 'stc' }))
}

/** What became of a connection that was tried without our client. */
export type Raw =
  | { readonly kind: 'open'; readonly client: RawClient }
  | { readonly kind: 'refused'; readonly status: number; readonly body: { code: string; message: string } }
  | { readonly kind: 'failed'; readonly why: string }

export class RawClient {
  readonly ws: WebSocket
  readonly got: ServerMessage[] = []
  readonly closed: Promise<number>
  #wake = (): void => {}
  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer) => {
      const m = decodeServerMessage(new Uint8Array(data))
      if (m.ok) this.got.push(m.value)
      this.#wake()
    })
    ws.on('error', () => {})
    this.closed = new Promise((resolve) => ws.once('close', resolve))
  }
  say(m: ClientMessage): void {
    this.ws.send(must(encodeClientMessage(m)))
  }
  /** The next message of this kind that was not taken before. */
  async next<K extends ServerMessage['k']>(k: K): Promise<Extract<ServerMessage, { k: K }>> {
    for (;;) {
      const i = this.got.findIndex((m) => m.k === k)
      if (i >= 0) return this.got.splice(i, 1)[0] as Extract<ServerMessage, { k: K }>
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
  hello(): Promise<Extract<ServerMessage, { k: 'welcome' }>> {
    this.say({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: [], agent: 'test' })
    return this.next('welcome')
  }
}

export function rawConnect(port: number, own: Papers | undefined, o: { host?: string; path?: string; protocol?: string; tls?: object } = {}): Promise<Raw> {
  const identity = own === undefined ? {} : { cert: own.chain.map((d) => pem('CERTIFICATE', d)).join(''), key: pem('PRIVATE KEY', own.pkcs8) }
  const host = o.host ?? '127.0.0.1'
  const ws = new WebSocket(`wss://${host.includes(':') ? `[${host}]` : host}:${port}${o.path ?? '/'}`, [o.protocol ?? 'stc.v1'], { ...identity, rejectUnauthorized: false, perMessageDeflate: false, ...o.tls })
  return new Promise((resolve) => {
    const client = new RawClient(ws)
    ws.once('open', () => resolve({ kind: 'open', client }))
    ws.once('error', (e) => resolve({ kind: 'failed', why: e.message }))
    ws.once('unexpected-response', (_, response) => {
      let body = ''
      response.on('data', (b: Buffer) => {
        body += b.toString()
      })
      response.once('end', () => resolve({ kind: 'refused', status: response.statusCode ?? 0, body: JSON.parse(body) as { code: string; message: string } }))
    })
  })
}
