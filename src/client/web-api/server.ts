/** The page's door: HTTP for its files and its session, one WebSocket per window. On loopback only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { PAGE_PROTOCOL } from '../../model/page.ts'
import { cookieOf, ownFetch, ownHost, ownOrigin, SAFE_HEADERS, tokenOf } from './doors.ts'
import { type SessionStore, Sessions } from './sessions.ts'

export interface PageFile {
  readonly type: string
  readonly body: Uint8Array
  /** Its name holds its hash: it never changes. */
  readonly immutable: boolean
}

/** The built page. The path is looked up as it is: there is no folder behind it. */
export type PageFiles = () => Promise<ReadonlyMap<string, PageFile>>

export interface PageServerOptions {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly files: PageFiles
  /** The wanted port; another one when it is taken. */
  readonly port: number
  readonly sessions?: SessionStore
  /** A window of the user's is there. */
  readonly onWindow: (socket: WebSocket) => void
}

export interface OpenPage {
  readonly port: number
  /** For the user's eyes: it holds the secret of this start. */
  readonly url: string
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const BODY_LIMIT = 1024
const MESSAGE_LIMIT = 256 * 1024
const CONNECTIONS_LIMIT = 64
const WINDOWS_LIMIT = 8
const SLOW_MS = 10_000

export async function openPage(options: PageServerOptions): Promise<Result<OpenPage>> {
  const door = new Door(options)
  const opened = await door.listen(options.port)
  return opened.ok || options.port === 0 ? opened : await new Door(options).listen(0)
}

class Door {
  readonly #o: PageServerOptions
  readonly #http: Server
  readonly #ws = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT, perMessageDeflate: false, handleProtocols: () => PAGE_PROTOCOL })
  readonly #sessions: Sessions
  #port = 0

  constructor(options: PageServerOptions) {
    this.#o = options
    this.#sessions = new Sessions(options.crypto, options.clock, options.sessions)
    this.#http = createServer({ headersTimeout: SLOW_MS, requestTimeout: SLOW_MS, maxHeaderSize: 8192, keepAliveTimeout: 5000 }, (q, a) => void this.#answer(q, a))
    this.#http.maxConnections = CONNECTIONS_LIMIT
    this.#http.on('upgrade', (q, socket, head) => this.#upgrade(q, socket, head))
    this.#http.on('clientError', (_, socket) => socket.destroy())
  }

  async listen(port: number): Promise<Result<OpenPage>> {
    const failed = await new Promise<Error | undefined>((resolve) => {
      this.#http.once('error', resolve)
      this.#http.listen({ host: LOOPBACK, port }, () => resolve(undefined))
    })
    if (failed !== undefined) return err('PAGE_LISTEN', `${LOOPBACK}:${port} (${(failed as NodeJS.ErrnoException).code ?? failed.message})`)
    this.#port = (this.#http.address() as AddressInfo).port
    return ok({ port: this.#port, url: `http://${LOOPBACK}:${this.#port}/#key=${this.#sessions.key}`, close: () => this.#close() })
  }
  async #close(): Promise<void> {
    for (const w of this.#ws.clients) w.terminate()
    const closed = new Promise<void>((resolve) => void this.#http.close(() => resolve()))
    this.#http.closeAllConnections()
    await closed
  }

  async #answer(q: IncomingMessage, a: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) a.setHeader(name, value)
    if (!ownHost(q.headers, this.#port)) return refuse(a, 421)
    const url = (q.url ?? '').split('?', 1)[0] ?? ''
    if (url === '/session' && q.method === 'POST') return await this.#session(q, a)
    if (q.method !== 'GET' && q.method !== 'HEAD') return refuse(a, 405)
    if (!ownFetch(q.headers)) return refuse(a, 403)
    const file = (await this.#files())?.get(url)
    if (file === undefined) return refuse(a, url === '/' ? 503 : 404)
    a.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.body.length, 'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-store' })
    a.end(q.method === 'HEAD' ? undefined : file.body)
  }
  async #files(): Promise<ReadonlyMap<string, PageFile> | undefined> {
    try {
      return await this.#o.files()
    } catch {
      return undefined
    }
  }

  async #session(q: IncomingMessage, a: ServerResponse): Promise<void> {
    if (!ownOrigin(q.headers)) return refuse(a, 403)
    const key = await bodyOf(q)
    const session = key === undefined ? undefined : this.#sessions.open(key)
    if (session === undefined) return refuse(a, 401)
    a.writeHead(200, {
      'Set-Cookie': `${this.#cookieName}=${session.cookie}; HttpOnly; SameSite=Strict; Path=/`, 'Content-Type': 'text/plain', 'Cache-Control': 'no-store',
    })
    a.end(session.token)
  }
  /** Cookies know no ports: each client on this machine has its own. */
  get #cookieName(): string {
    return `stc-page-${this.#port}`
  }

  #upgrade(q: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refused = this.#refusal(q)
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#ws.handleUpgrade(q, socket, head, (ws) => {
      // What is wrong is told by the close that follows.
      ws.on('error', () => {})
      this.#o.onWindow(ws)
    })
  }
  #refusal(q: IncomingMessage): string | undefined {
    if (q.url !== '/socket') return '404 Not Found'
    if (!ownHost(q.headers, this.#port)) return '421 Misdirected Request'
    if (!ownOrigin(q.headers)) return '403 Forbidden'
    if (!this.#sessions.knows(cookieOf(q.headers, this.#cookieName), tokenOf(q.headers))) return '401 Unauthorized'
    return this.#ws.clients.size >= WINDOWS_LIMIT ? '503 Service Unavailable' : undefined
  }
}

function refuse(a: ServerResponse, status: number): void {
  a.writeHead(status, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' })
  a.end(`${status}\n`)
}

/** Text of at most a kilobyte. */
async function bodyOf(q: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of q) {
      size += (part as Buffer).length
      if (size > BODY_LIMIT) return undefined
      parts.push(part as Buffer)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(parts).toString('utf8')
}
