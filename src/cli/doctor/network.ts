/** The way to the server, step by step: name, proxy, TCP, TLS, and whether somebody else answers there. */
import { lookup } from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import type { Der } from '../../base/brand.ts'
import type { ClientConfig } from '../../client/config.ts'
import { createNodeCrypto } from '../../crypto/node/index.ts'
import { connectTo, type HttpProxy, proxyFor } from '../../net/http-connect.ts'
import { parseCertificate, certificateText } from '../../protocol/x509/certificate.ts'
import { makeAnchors, verifyChain } from '../../protocol/x509/path.ts'
import { ATTRIBUTE, attributeOf } from '../../protocol/x509/name.ts'
import { formatTime } from '../../protocol/x509/time.ts'
import { hostMatches } from '../../vault/inside/tls-pipe.ts'
import { currentTime } from '../options.ts'
import { type Finding, good, ofFault, risky, unknown, wrong } from './findings.ts'

const TLS_MS = 8000

/** `reached`: a TLS server answers that may be the right one. */
export interface NetworkFindings {
  readonly findings: readonly Finding[]
  readonly reached: boolean
}

export async function lookAtNetwork(server: NonNullable<ClientConfig['server']>, anchors: readonly Der[]): Promise<NetworkFindings> {
  const target = { host: server.host, port: server.port }
  const where = `${server.host} port ${server.port}`
  const proxy = proxyFor(server.proxy, target)
  if (!proxy.ok) return { findings: [ofFault(proxy.fault)], reached: false }
  const findings: Finding[] = [await nameOf(server.host, proxy.value)]
  if (findings[0]!.level === 'wrong') return { findings, reached: false }
  if (proxy.value === undefined) findings.push(good(server.proxy === 'auto' ? 'no proxy is set (HTTPS_PROXY), connections go out directly' : 'connections go out without a proxy'))
  else findings.push(good(`connections go through the proxy ${proxy.value.host} port ${proxy.value.port} (HTTP CONNECT)`))
  const socket = await connectTo(target, proxy.value)
  if (!socket.ok) {
    findings.push({ ...ofFault(socket.fault), todo: proxy.value === undefined ? 'ask who runs the server whether it runs, and who runs the network whether it lets this port out; where only 443 is open, the server can listen there' : 'ask who runs the network to allow CONNECT to this address; port 443 is allowed most often' })
    return { findings, reached: false }
  }
  findings.push(good(`${where} accepts connections${proxy.value === undefined ? '' : ' through the proxy'}`))
  const tls = await lookAtTls(socket.value, server, anchors)
  return { findings: [...findings, ...tls.findings], reached: tls.reached }
}

async function nameOf(host: string, proxy: HttpProxy | undefined): Promise<Finding> {
  if (isIP(host) !== 0) return good(`the server is given as an address, ${host}: no name has to be looked up`)
  try {
    const all = await lookup(host, { all: true })
    const other = all.some((a) => a.family === 6) ? all.some((a) => a.family === 4) ? 'IPv4 and IPv6' : 'IPv6' : 'IPv4'
    return good(`${host} is ${[...new Set(all.map((a) => a.address))].slice(0, 4).join(', ')} (${other})`)
  } catch (e) {
    const why = (e as NodeJS.ErrnoException).code ?? String(e)
    if (proxy !== undefined) return unknown(`${host} has no address here (${why}): the proxy has to find it`)
    return why === 'EAI_AGAIN'
      ? wrong('the name servers of this machine do not answer', 'check that the network is up, and the name servers that this machine uses')
      : wrong(`${host} has no address (${why})`, 'check how the name is written in server.host; inside a company the name may need its VPN')
  }
}

async function lookAtTls(socket: Socket, server: NonNullable<ClientConfig['server']>, anchors: readonly Der[]): Promise<NetworkFindings> {
  const name = server.name ?? server.host
  const tls = await handshake(socket, name)
  if ('why' in tls) return { findings: [wrong(`no TLS comes about at ${server.host} port ${server.port}: ${tls.why}`, 'check that the port is that of an stc server; a firewall that inspects connections can break it too')], reached: false }
  const chain = chainOf(tls.socket)
  const version = tls.socket.getProtocol()
  tls.socket.destroy()
  const findings: Finding[] = [version === 'TLSv1.3' ? good('TLS 1.3') : wrong(`the other side speaks ${version ?? 'an unknown version'} and not TLS 1.3`, 'that is no stc server: somebody may be in between')]
  const trusted = makeAnchors(anchors)
  if (!trusted.ok) return { findings: [...findings, ofFault(trusted.fault)], reached: false }
  const verified = verifyChain(createNodeCrypto(), chain, trusted.value, [], currentTime(), 'server', 'given')
  if (!verified.ok) return { findings: [...findings, strange(chain, verified.fault)], reached: false }
  const { identity, validUntil } = verified.value
  if (!identity.hosts.some((h) => hostMatches(h, name))) {
    findings.push(wrong(`the server's certificate is for ${identity.hosts.join(', ') || identity.subject}, not for ${name}`, 'check server.host; where the server is reached by another name, set server.name; otherwise somebody is in the way'))
    return { findings, reached: false }
  }
  findings.push(good(`the server shows its certificate (${identity.hosts.join(', ')}, by ${identity.issuer}): nobody intercepts the connection`))
  if (validUntil - currentTime() < 14 * 86_400) findings.push(risky(`the server's certificate ends on ${formatTime(validUntil)}`, 'tell who runs the server'))
  return { findings, reached: true }
}

/** Not the certificate that it should be: whose, then? */
function strange(chain: readonly Der[], fault: { readonly code: string; readonly message: string }): Finding {
  if (fault.code === 'IDENTITY_EXPIRED' || fault.code === 'IDENTITY_NOT_YET_VALID') return wrong(`the server's certificate is not valid now: ${fault.message} [${fault.code}]`, 'check the date of this machine first, then tell who runs the server')
  const own = chain[0] === undefined ? undefined : parseCertificate(chain[0])
  const issuer = own?.ok === true ? ` It was issued by "${issuerOf(chain, own.value)}".` : ''
  if (fault.code !== 'IDENTITY_UNKNOWN_ISSUER') return wrong(`the certificate of the other side is refused: ${fault.message} [${fault.code}]`, `stc explain ${fault.code}`)
  return wrong(`SOMEBODY ELSE answers in the server's place, or the server has another authority than yours.${issuer}`, 'if that is a company, a proxy or a virus scanner: it opens encrypted connections; ask for an exception for this server, or use another network. If it is your server\'s new authority: get its certificate from who runs it, by another way, and add it to identity.anchors. Nothing was sent')
}
function issuerOf(chain: readonly Der[], own: Parameters<typeof certificateText>[0]): string {
  const above = chain[1] === undefined ? undefined : parseCertificate(chain[1])
  return above?.ok === true ? certificateText(above.value) : (attributeOf(own.issuer, ATTRIBUTE.commonName) ?? attributeOf(own.issuer, ATTRIBUTE.organisation) ?? 'nobody named')
}

function handshake(socket: Socket, name: string): Promise<{ readonly socket: TLSSocket } | { readonly why: string }> {
  return new Promise((resolve) => {
    // Whoever it is: nothing is said to it, its certificate is judged by our own rules.
    const tls = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...(isIP(name) === 0 ? { servername: name } : {}) })
    const timer = setTimeout(() => end({ why: 'no answer' }), TLS_MS)
    const end = (r: { socket: TLSSocket } | { why: string }): void => {
      clearTimeout(timer)
      if ('why' in r) tls.destroy()
      resolve(r)
    }
    tls.once('secureConnect', () => end({ socket: tls })).on('error', (e: NodeJS.ErrnoException) => end({ why: e.code ?? e.message })).once('close', () => end({ why: 'the other side closed the connection' }))
  })
}

function chainOf(tls: TLSSocket): Der[] {
  const all: Der[] = []
  let c: DetailedPeerCertificate | undefined = tls.getPeerCertificate(true)
  while (c?.raw !== undefined && all.length < 6 && !all.some((d) => Buffer.compare(d, c!.raw) === 0)) {
    all.push(new Uint8Array(c.raw) as Der)
    c = c.issuerCertificate
  }
  return all
}
