/** TCP to a host, directly or through a proxy by HTTP CONNECT (RFC 9110 §9.3.6), as networks demand that let nothing else out. */
import { isIP, connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { err, ok, type Result } from '../base/result.ts'
import { showAddress } from './address.ts'

export interface HttpProxy {
  readonly host: string
  readonly port: number
  /** TLS to the proxy itself. */
  readonly secure: boolean
  /** Of `Proxy-Authorization`, as it goes out; a secret. */
  readonly authorization?: string
}

export interface Target {
  readonly host: string
  readonly port: number
}

const CONNECT_MS = 10_000
const HEAD_LIMIT = 16 * 1024

/** `http://[name:password@]host[:port]`, or with `https:`. */
export function parseProxy(text: string): Result<HttpProxy> {
  let url: URL
  let user: string
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`)
    user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  } catch {
    return err('CHANNEL_PROXY', 'the address of the proxy is none')
  }
  const secure = url.protocol === 'https:'
  if ((!secure && url.protocol !== 'http:') || url.hostname === '') return err('CHANNEL_PROXY', 'only http and https proxies are known')
  return ok({
    host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? (secure ? 443 : 80) : Number(url.port), secure,
    ...(url.username === '' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
  })
}

/**
 * The proxy on the way to `target`. `setting` is that of the configuration: `auto` looks at HTTPS_PROXY and NO_PROXY as other programs
 * do; `none`; or the proxy's address. This machine is always reached without one.
 */
export function proxyFor(setting: string, target: Target, env: NodeJS.ProcessEnv = process.env): Result<HttpProxy | undefined> {
  if (setting === 'none') return ok(undefined)
  if (setting !== 'auto') return parseProxy(setting)
  const named = env['HTTPS_PROXY'] || env['https_proxy'] || env['ALL_PROXY'] || env['all_proxy']
  if (named === undefined || named === '' || isOwn(target.host) || excepted(target, env['NO_PROXY'] || env['no_proxy'] || '')) return ok(undefined)
  return parseProxy(named)
}

const isOwn = (host: string): boolean => host === 'localhost' || host.startsWith('127.') || host === '::1'

/** `*`, `example.org`, `.example.org`, each with or without a port. */
function excepted({ host, port }: Target, list: string): boolean {
  return list.split(',').map((e) => e.trim().toLowerCase()).filter((e) => e !== '').some((entry) => {
    if (entry === '*') return true
    const m = /^(?:\[([^\]]+)\]|([^:]+(?::[^:]*:[^:]*.*)?))(?::(\d+))?$/.exec(entry)
    const name = (m?.[1] ?? m?.[2] ?? entry).replace(/^\*?\./, '')
    if (m?.[3] !== undefined && Number(m[3]) !== port) return false
    return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
  })
}

/** An open connection on which nothing has been said to `target` yet. It does not keep the process alive before it stands. */
export async function connectTo(target: Target, proxy?: HttpProxy): Promise<Result<Socket>> {
  if (proxy === undefined) return open(connect({ ...target, noDelay: true }), 'connect', (why) => err('CHANNEL_UNREACHABLE', `${target.host} port ${target.port} (${why})`))
  const failed = (why: string) => err('CHANNEL_PROXY_UNREACHABLE', `${proxy.host} port ${proxy.port} (${why})`)
  const way = await (proxy.secure
    ? open(connectTls({ host: proxy.host, port: proxy.port, ...(isIP(proxy.host) === 0 ? { servername: proxy.host } : {}) }), 'secureConnect', failed)
    : open(connect({ host: proxy.host, port: proxy.port, noDelay: true }), 'connect', failed))
  return way.ok ? ask(way.value, target, proxy) : way
}

function open(socket: Socket, event: 'connect' | 'secureConnect', failed: (why: string) => Result<Socket>): Promise<Result<Socket>> {
  return new Promise((resolve) => {
    // A client that was stopped does not wait for somebody who does not answer.
    socket.unref()
    socket.setTimeout(CONNECT_MS)
    const give = (why: string): void => {
      socket.destroy()
      resolve(failed(why))
    }
    socket.once('timeout', () => give('no answer'))
    socket.once('error', (e: NodeJS.ErrnoException) => give(e.code ?? e.message))
    socket.once(event, () => {
      socket.removeAllListeners('timeout')
      socket.setTimeout(0)
      socket.ref()
      // From here on the end of the connection is told by 'close'.
      socket.on('error', () => {})
      resolve(ok(socket))
    })
  })
}

function ask(socket: Socket, target: Target, proxy: HttpProxy): Promise<Result<Socket>> {
  const authority = showAddress({ address: target.host, port: target.port })
  return new Promise((resolve) => {
    let head = Buffer.alloc(0)
    const end = (r: Result<Socket>): void => {
      clearTimeout(timer)
      socket.off('readable', take).off('close', closed)
      if (!r.ok) socket.destroy()
      resolve(r)
    }
    const closed = (): void => end(err('CHANNEL_PROXY', 'it closed the connection'))
    const timer = setTimeout(() => end(err('CHANNEL_PROXY', 'no answer')), CONNECT_MS)
    // Read by hand: what comes behind the answer waits for whoever takes the connection over.
    const take = (): void => {
      for (let more = socket.read() as Buffer | null; more !== null; more = socket.read() as Buffer | null) head = Buffer.concat([head, more])
      const at = head.indexOf('\r\n\r\n')
      if (at < 0) return void (head.length > HEAD_LIMIT && end(err('CHANNEL_PROXY', 'what it says is no HTTP')))
      const status = /^HTTP\/1\.[01] (\d{3})([^\r\n]*)/.exec(head.toString('latin1', 0, at))
      if (status === null) return end(err('CHANNEL_PROXY', 'what it says is no HTTP'))
      if (status[1] === '407') return end(err(proxy.authorization === undefined ? 'CHANNEL_PROXY_PASSWORD' : 'CHANNEL_PROXY_REFUSED_US', proxy.host))
      if (!status[1]!.startsWith('2')) return end(err('CHANNEL_PROXY', `${status[1]}${status[2]!.replace(/[^\x20-\x7e]/g, '').slice(0, 80)}`))
      if (head.length > at + 4) socket.unshift(head.subarray(at + 4))
      end(ok(socket))
    }
    socket.on('readable', take).once('close', closed)
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`}User-Agent: stc\r\n\r\n`)
  })
}
