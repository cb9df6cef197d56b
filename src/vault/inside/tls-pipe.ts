/**
 * A TLS 1.3 client whose socket is two functions: the connection ends in the vault, so the certificate's key never
 * leaves it, and works with network access denied. The server is verified by our own path policy, not by OpenSSL's;
 * nothing is read or written before.
 */
import { Duplex } from 'node:stream'
import { type SecureContext, type TLSSocket, connect, createSecureContext } from 'node:tls'
import { constants } from 'node:crypto'
import type { Der } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'
import { type Fault, type Result, err, makeFault, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { Identity } from '../../model/identity.ts'
import type { HopOfferState } from '../../protocol/hop/agreement.ts'
import type { VerifiedPath } from '../../protocol/x509/path.ts'
import { encodePem } from '../../protocol/x509/pem.ts'
import type { PipeId, VaultPipe } from '../api/calls.ts'
import type { HopConnection } from './hop-connection.ts'
import type { IdentityKeeper } from './identity-keeper.ts'

/** Hybrid first; a server can insist on it. */
const GROUPS = 'X25519MLKEM768:X25519'
/** Ciphertext that waits to be decrypted, octets: far more than one flight of a sane server. */
const WAITING_LIMIT = 16 * 1024 * 1024
const CHAIN_LIMIT = 8

export interface PipeOptions {
  readonly serverName: string
  readonly protocols: readonly string[]
}


/** Certificate and key as OpenSSL keeps them; made once, so that the octets of the key are not kept besides. */
export function clientContext(chain: readonly Der[], pkcs8: Uint8Array): SecureContext {
  return createSecureContext({
    cert: chain.map((der) => encodePem('CERTIFICATE', der)).join(''), key: encodePem('PRIVATE KEY', pkcs8),
    minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ecdhCurve: GROUPS, secureOptions: constants.SSL_OP_NO_TICKET,
  })
}

export interface PipeWorld {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly keeper: IdentityKeeper
  readonly context: SecureContext
}

export class TlsPipe implements VaultPipe, HopConnection {
  readonly id: PipeId
  readonly secured: Promise<Result<{ readonly server: Identity }>>
  offer: HopOfferState | undefined
  generation = 0
  readonly #world: PipeWorld
  readonly #serverName: string
  readonly #wire: Duplex
  readonly #tls: TLSSocket
  readonly #cipher = new Set<(b: Uint8Array) => void>()
  /** The first flight is made before anybody can listen. */
  readonly #unsent: Uint8Array[] = []
  readonly #plain = new Set<(b: Uint8Array) => void>()
  readonly #closed = new Set<(reason: string) => void>()
  #settle: (r: Result<{ readonly server: Identity }>) => void = () => {}
  /** Of the server, once it was verified. */
  #path: VerifiedPath['path'] | undefined
  #state: 'handshake' | 'secured' | 'closed' = 'handshake'

  constructor(id: PipeId, world: PipeWorld, options: PipeOptions) {
    this.id = id
    this.#world = world
    this.#serverName = options.serverName.toLowerCase()
    this.secured = new Promise((resolve) => { this.#settle = resolve })
    this.#wire = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#cipher.size === 0) this.#unsent.push(new Uint8Array(chunk))
        for (const listener of this.#cipher) listener(new Uint8Array(chunk))
        done()
      },
      final: (done) => done(),
    })
    const named = /[a-z]/.test(this.#serverName) && !this.#serverName.includes(':')
    this.#tls = connect({
      socket: this.#wire, secureContext: world.context, ALPNProtocols: [...options.protocols],
      ...(named ? { servername: this.#serverName } : {}),
      // Our own verification follows; OpenSSL's would trust other authorities for other purposes.
      rejectUnauthorized: false, checkServerIdentity: () => undefined,
    })
    this.#tls.on('secureConnect', () => this.#verify())
    this.#tls.on('end', () => this.#close('closed by the server'))
    this.#tls.on('close', () => this.#close('closed'))
    this.#tls.on('error', (e: Error) => this.#fail(err('VAULT_TLS', e.message)))
  }

  feed(cipher: Uint8Array): void {
    if (this.#state === 'closed') return
    if (this.#wire.readableLength > WAITING_LIMIT) this.#fail(err('VAULT_TLS', 'more was sent than can be taken in'))
    else this.#wire.push(Buffer.from(cipher))
  }
  onCipher(listener: (cipher: Uint8Array) => void): void {
    this.#cipher.add(listener)
    for (const bytes of this.#unsent.splice(0)) listener(bytes)
  }
  onPlain(listener: (plain: Uint8Array) => void): void {
    this.#plain.add(listener)
    if (this.#state === 'secured') this.#read()
  }
  write(plain: Uint8Array): void {
    if (this.#state === 'secured') this.#tls.write(Buffer.from(plain))
  }
  onClose(listener: (reason: string) => void): void {
    this.#closed.add(listener)
  }
  end(): void {
    if (this.#state === 'closed') return
    this.#tls.end()
    this.#close('closed by us')
  }
  exporter(label: string, context: Uint8Array, length: number): Uint8Array | undefined {
    return this.#state === 'secured' ? new Uint8Array(this.#tls.exportKeyingMaterial(length, label, Buffer.from(context))) : undefined
  }

  #verify(): void {
    const { keeper, clock } = this.#world
    const server = keeper.known.verifyServer(peerChain(this.#tls), clock.unix())
    if (!server.ok) return this.#fail(err('VAULT_TLS', server.fault.message, server.fault))
    const { identity, path } = server.value
    if (!identity.hosts.some((h) => hostMatches(h, this.#serverName))) return this.#fail(err('VAULT_SERVER_NAME', `${identity.hosts.join(', ') || identity.subject} instead of ${this.#serverName}`))
    this.#state = 'secured'
    this.#path = path
    this.#settle(ok({ server: identity }))
    if (this.#plain.size > 0) this.#read()
  }
  recheck(): void {
    const { keeper, clock } = this.#world
    if (this.#path !== undefined && keeper.known.isRevoked(this.#path, clock.unix())) this.#fail(err('VAULT_TLS', 'the server\'s certificate has been revoked', makeFault('IDENTITY_REVOKED')))
  }
  /** From now on: until somebody listens, what arrives waits in the stream. */
  #read(): void {
    if (this.#tls.listenerCount('data') > 0) return
    this.#tls.on('data', (bytes: Buffer) => {
      for (const listener of this.#plain) listener(new Uint8Array(bytes))
    })
  }
  #fail(why: { readonly ok: false; readonly fault: Fault }): void {
    if (this.#state === 'closed') return
    this.#settle(why)
    this.#close(`${why.fault.message} [${(why.fault.cause ?? why.fault).code}]`)
    this.#tls.destroy()
  }
  #close(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#settle(err('VAULT_TLS', reason))
    this.offer?.[Symbol.dispose]()
    for (const listener of this.#closed) listener(reason)
  }
}

/** As the server sent it. */
function peerChain(tls: TLSSocket): Der[] {
  const chain: Der[] = []
  for (let c = tls.getPeerX509Certificate(); c !== undefined && chain.length < CHAIN_LIMIT; c = c.issuerCertificate) chain.push(new Uint8Array(c.raw) as Der)
  return chain
}

/** RFC 9525 §6.3: the whole name, or a wildcard for the first label alone; never one for an address. */
export function hostMatches(presented: string, wanted: string): boolean {
  if (presented === wanted) return true
  const isName = /\.[a-z][a-z0-9-]*$/.test(wanted)
  const rest = wanted.slice(wanted.indexOf('.') + 1)
  return isName && presented.startsWith('*.') && rest.includes('.') && presented.slice(2) === rest
}
