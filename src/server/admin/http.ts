/** The admin address: two pages to read, over HTTP, for this machine or whoever the administrator lets reach it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { err, ok, type Result } from '../../base/result.ts'
import { type AddressPort, showAddress } from '../../net/address.ts'

const MOST_CONNECTIONS = 16
const TIMEOUT_MS = 5000
const MAX_HEADER = 8 << 10

export interface Admin {
  readonly local: AddressPort
  close(): void
}

export type Page = () => Promise<{ readonly type: string; readonly text: string }>

/** Fails with CONFIG_LISTEN. */
export function startAdmin(bind: AddressPort, pages: ReadonlyMap<string, Page>): Promise<Result<Admin>> {
  const server = createServer({ maxHeaderSize: MAX_HEADER, requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, keepAliveTimeout: TIMEOUT_MS }, (request, response) => void answer(pages, request, response))
  server.maxConnections = MOST_CONNECTIONS
  return new Promise((resolve) => {
    server.once('error', (e) => resolve(err('CONFIG_LISTEN', `admin at ${showAddress(bind)}: ${e.message}`)))
    server.listen({ host: bind.address, port: bind.port }, () => {
      const at = server.address()
      const port = typeof at === 'object' && at !== null ? at.port : bind.port
      server.unref()
      resolve(ok({
        local: { address: bind.address, port },
        close() {
          server.close()
          server.closeAllConnections()
        },
      }))
    })
  })
}

async function answer(pages: ReadonlyMap<string, Page>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = pages.get((request.url ?? '').split('?')[0]!)
  if (!direct(request.headers.host)) return plain(response, 403, 'ask by address, not by name')
  if (request.method !== 'GET') return plain(response, 405, 'GET only')
  if (page === undefined) return plain(response, 404, [...pages.keys()].join(' '))
  try {
    const { type, text } = await page()
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).end(text)
  } catch {
    plain(response, 500, 'the state could not be read')
  }
}

/** A web page that made its own name point here (DNS rebinding) asks by that name. */
function direct(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || isIP(name) !== 0
}

function plain(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}
