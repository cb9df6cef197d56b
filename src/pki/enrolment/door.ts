/** The authority's door: HTTPS with a certificate of its own, `POST /enrol`, `POST /renew`, `GET /list.crl`, `GET /ca.pem`, `GET /join`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { statSync } from 'node:fs'
import { sameBytes } from '../../base/bytes.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { encodePem } from '../../protocol/x509/pem.ts'
import { type Authority, issueCertificate } from '../authority.ts'
import { loadCa } from '../ca-directory.ts'
import { caFiles } from '../ca-files.ts'
import { currentLists } from '../revoked.ts'
import { Desk } from './desk.ts'
import { BODY_LIMIT, encodeReply } from './messages.ts'
import { renew } from './renewals.ts'
import type { DeskOptions } from './reply.ts'

const CONNECTIONS = 200
const REQUEST_MS = 10_000
const KEEP_MS = 2000
/** Of the door's own certificate: made anew at every start and before it ends. */
const DOOR_DAYS = 30
const RENEW_MS = 10 * 86_400_000

export interface DoorOptions extends DeskOptions {
  readonly bind: { readonly address: string; readonly port: number }
  /** Names and addresses by which it is reached. */
  readonly hosts: readonly string[]
}

export interface AuthorityDoor {
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

export function openDoor(given: DoorOptions): Promise<Result<AuthorityDoor>> {
  const issuing = new Issuing(given)
  const options: DoorOptions = { ...given, get ca() { return issuing.ca } }
  const desk = new Desk(options)
  const server = createServer({ ...context(options), minVersion: 'TLSv1.3', handshakeTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, maxHeaderSize: 8192 })
  server.maxConnections = CONNECTIONS
  const lists = keptList(options)
  const look = (): void => {
    if (issuing.look()) server.setSecureContext(context(options))
  }
  // Before the handshake: whoever knows that the old authority was revoked hears nothing more from a door that shows it.
  server.prependListener('connection', look)
  server.on('request', (request, response) => {
    look()
    void serve(options, desk, lists, request, response)
  })
  server.on('clientError', (_, socket) => socket.destroy())
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return listen(server, options)
}

/** The authority that issues: another one as soon as "stc ca renew-issuing" has put it there. */
class Issuing {
  readonly #o: DoorOptions
  ca: Authority
  /** Of what was looked at last; whoever opens the door loaded the authority some time before. */
  #changedAt: number | undefined

  constructor(o: DoorOptions) {
    this.#o = o
    this.ca = o.ca
  }
  /** Whether it is another one than before. */
  look(): boolean {
    const at = this.#at()
    if (at === this.#changedAt) return false
    const loaded = loadCa(this.ca.crypto, this.#o.dir)
    if (!loaded.ok) return false
    this.#changedAt = at
    if (sameBytes(loaded.value.certificate, this.ca.certificate)) return false
    this.ca = loaded.value
    this.#o.note?.('a new issuing authority is in use')
    return true
  }
  #at(): number | undefined {
    return statSync(caFiles(this.#o.dir).issuing, { throwIfNoEntry: false })?.mtimeMs
  }
}

/** The list, looked for at most every two seconds: reading a long one takes a while, and anybody may ask. */
function keptList(o: DoorOptions): () => Uint8Array | string | undefined {
  let kept: Uint8Array | string | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let by = o.ca
  return () => {
    if (by !== o.ca || performance.now() - readAt > KEEP_MS) {
      const lists = currentLists(o.ca, o.dir, o.now())
      // One as everybody publishes it; several, after a new issuing authority was made, as PEM.
      kept = !lists.ok ? undefined : lists.value.length === 1 ? lists.value[0] : lists.value.map((der) => encodePem('X509 CRL', der)).join('')
      readAt = performance.now()
      by = o.ca
    }
    return kept
  }
}

/** Leaf, issuing authority and root: a joiner finds the one that its link names among them. */
function context(o: DoorOptions): { cert: string; key: string } {
  const { chain, pkcs8 } = issueCertificate(o.ca, { name: o.hosts[0] ?? 'authority', hosts: o.hosts, kind: 'server', now: o.now(), lifetimeDays: DOOR_DAYS })
  return { cert: [...chain, o.root].map((der) => encodePem('CERTIFICATE', der)).join(''), key: encodePem('PRIVATE KEY', pkcs8) }
}

function listen(server: Server, options: DoorOptions): Promise<Result<AuthorityDoor>> {
  const { bind } = options
  return new Promise((resolve) => {
    server.once('error', (e: NodeJS.ErrnoException) => resolve(err('CONFIG_LISTEN', `${bind.address} port ${bind.port} (${e.code ?? e.message})`)))
    server.listen(bind.port, bind.address, () => {
      server.removeAllListeners('error')
      server.on('error', () => {})
      const timer = setInterval(() => server.setSecureContext(context(options)), RENEW_MS)
      const at = server.address() as AddressInfo
      const close = (): Promise<void> => new Promise((done) => {
        clearInterval(timer)
        server.close(() => done())
        server.closeAllConnections()
      })
      resolve(ok({ address: at.address, port: at.port, close }))
    })
  })
}

async function serve(o: DoorOptions, desk: Desk, lists: () => Uint8Array | string | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const say = (status: number, type: string, body: string | Uint8Array): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', connection: 'close' }).end(body)
  }
  const what = `${request.method ?? ''} ${(request.url ?? '').split('?')[0]}`
  if (what === 'GET /list.crl') {
    const list = lists()
    return list === undefined ? say(503, 'text/plain', 'no list') : say(200, typeof list === 'string' ? 'application/x-pem-file' : 'application/pkix-crl', list)
  }
  if (what === 'GET /ca.pem') return say(200, 'application/x-pem-file', encodePem('CERTIFICATE', o.root))
  if (what === 'GET /join') return say(200, 'text/plain; charset=utf-8', 'This is an invitation to stc. Copy the whole link, with what stands after the #, and run:\n\n  stc join \'LINK\'\n')
  if (what !== 'POST /enrol' && what !== 'POST /renew') return say(404, 'text/plain', 'there is nothing at this path')
  const body = await bodyOf(request)
  if (body === undefined) return say(413, 'text/plain', 'too long')
  const from = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  say(200, 'application/json', encodeReply(what === 'POST /enrol' ? desk.enrol(body, from) : renew(o, body)))
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length
      if (length > BODY_LIMIT) return undefined
      parts.push(part)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(parts).toString('utf8')
}
