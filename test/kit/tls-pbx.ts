/** Somebody who takes SIP over TLS, and the papers for it. */
import { once } from 'node:events'
import type net from 'node:net'
import type { TestContext } from 'node:test'
import tls from 'node:tls'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { AddressPort } from '../../src/net/address.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { createCa, issueCertificate } from '../../src/pki/authority.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'

export interface SipPapers {
  readonly cert: string
  readonly key: string
  readonly trust: { readonly anchors: readonly string[]; readonly name: string }
}

export function sipPapers(): SipPapers {
  const now = realScheduler().unix()
  const authority = createCa(createNodeCrypto(), { name: 'PBX', now })
  const paper = issueCertificate(authority, { name: 'pbx', hosts: ['localhost'], kind: 'server', now })
  const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der)
  return { cert: paper.chain.map(pem).join(''), key: encodePem('PRIVATE KEY', paper.pkcs8), trust: { anchors: [pem(authority.certificate)], name: 'localhost' } }
}

/** Where it is; `connected` for each connection. */
export async function tlsPbx(t: TestContext, { cert, key }: SipPapers, connected: (socket: net.Socket) => void): Promise<AddressPort> {
  const open = new Set<net.Socket>()
  const server = tls.createServer({ cert, key }).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    connected(socket)
  })
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { address: '127.0.0.1', port: (server.address() as net.AddressInfo).port }
}
