/** The page's interface of a client, without a client: a door with small files, and requests as strangers send them. */
import { type ClientRequest, request } from 'node:http'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { must } from '../../src/base/result.ts'
import { type Page, type SessionStore, startPage } from '../../src/client/web-api/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { decodePage, encodePage, PAGE_PROTOCOL, type PageMessage } from '../../src/model/page.ts'
import { realScheduler } from '../../src/net/scheduler.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface TestDoor {
  readonly page: Page
  readonly port: number
  readonly key: string
  readonly origin: string
  ask(o: { readonly path?: string; readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string }): Promise<Answer>
  /** What a window of the user's has after it traded the key. */
  session(): Promise<{ readonly cookie: string; readonly token: string }>
  /** Resolves with the open socket, or with the status of the refusal. */
  socket(o: { readonly headers?: Record<string, string>; readonly protocols?: string[]; readonly origin?: string | undefined; readonly path?: string }): Promise<WebSocket | number>
  window(): Promise<TestWindow>
}

export class TestWindow {
  readonly ws: WebSocket
  readonly messages: PageMessage[] = []
  readonly sounds: Uint8Array[] = []
  #ref = 0
  #wake: () => void = () => {}

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer, binary: boolean) => {
      if (binary) this.sounds.push(new Uint8Array(data))
      else this.messages.push(decodePage(data.toString('utf8')))
      this.#wake()
    })
  }
  /** The newest message of a kind that fits, from the first on. */
  async next<K extends PageMessage['k']>(k: K, fits: (m: Extract<PageMessage, { k: K }>) => boolean = () => true): Promise<Extract<PageMessage, { k: K }>> {
    for (;;) {
      const m = this.messages.find((x): x is Extract<PageMessage, { k: K }> => x.k === k && fits(x as Extract<PageMessage, { k: K }>))
      if (m !== undefined) return m
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
  async command(c: string, args: object = {}): Promise<Extract<PageMessage, { k: 'done' }>> {
    const ref = ++this.#ref
    this.ws.send(encodePage({ ref, c, ...args } as never))
    return await this.next('done', (m) => m.ref === ref)
  }
}

const FILES = new Map([['/', { type: 'text/html', body: new TextEncoder().encode('<!doctype html><title>page</title>'), immutable: false }]])

export async function openDoor(t: TestContext, sessions?: SessionStore, port = 0): Promise<TestDoor> {
  const page = must(await startPage({
    crypto: createNodeCrypto(), clock: realScheduler(), files: () => Promise.resolve(FILES), port, ...(sessions === undefined ? {} : { sessions }),
    hub: { version: '0.0.0', server: 'server.test', roomPrefix: '8', emergencyNumbers: ['112', '911'], rooms: [], phones: [] },
  }))
  t.after(() => page.close())
  const url = new URL(page.url)
  const origin = url.origin
  const key = url.hash.slice('#key='.length)
  const ask: TestDoor['ask'] = ({ path = '/', method = 'GET', headers = {}, body }) => new Promise((resolve, reject) => {
    const q: ClientRequest = request({ host: '127.0.0.1', port: url.port, path, method, headers: { host: url.host, ...headers } }, (a) => {
      const parts: Buffer[] = []
      a.on('data', (d: Buffer) => parts.push(d)).on('end', () => resolve({ status: a.statusCode ?? 0, headers: a.headers, body: Buffer.concat(parts).toString('utf8') }))
    })
    q.on('error', reject)
    q.end(body)
  })
  const session: TestDoor['session'] = async () => {
    const a = await ask({ path: '/session', method: 'POST', headers: { origin }, body: key })
    return { cookie: (a.headers['set-cookie'] as string[])[0]!.split(';')[0]!, token: a.body }
  }
  const socket: TestDoor['socket'] = ({ headers = {}, protocols = [], origin: from, path = '/socket' }) => new Promise((resolve) => {
    const ws = new WebSocket(`ws://${url.host}${path}`, protocols, { headers, ...(from === undefined ? {} : { origin: from }) })
    ws.on('unexpected-response', (_, a) => resolve(a.statusCode ?? 0))
    ws.on('error', () => resolve(0))
    ws.on('open', () => resolve(ws))
  })
  const window: TestDoor['window'] = async () => {
    const { cookie, token } = await session()
    const ws = new WebSocket(`ws://${url.host}/socket`, [PAGE_PROTOCOL, `token.${token}`], { headers: { cookie }, origin })
    const w = new TestWindow(ws)
    await w.next('snapshot')
    return w
  }
  return { page, port: Number(url.port), key, origin, ask, session, socket, window }
}
