/** A vault's TLS connection over TCP, as the plaintext stream that `ws` writes to and reads from. */
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { err, ok, type Result } from '../../base/result.ts'
import type { Vault, VaultPipe } from '../../vault/api/calls.ts'

export interface ServerPlace {
  readonly host: string
  readonly port: number
  /** The name in its certificate. */
  readonly name: string
}

const CONNECT_MS = 10_000

export interface OpenPipe {
  readonly pipe: VaultPipe
  readonly stream: Duplex
}

/** TCP, then TLS that ends in the vault. Faults: nobody there, no secure connection, certificate not accepted. */
export async function openPipe(vault: Vault, server: ServerPlace): Promise<Result<OpenPipe>> {
  const tcp = await openTcp(server)
  if (!tcp.ok) return tcp
  const pipe = vault.pipe({ serverName: server.name, protocols: ['http/1.1'] })
  const socket = tcp.value
  pipe.onCipher((b) => socket.write(b))
  socket.on('data', (b: Buffer) => pipe.feed(new Uint8Array(b)))
  socket.on('close', () => pipe.end())
  socket.on('error', () => socket.destroy())
  pipe.onClose(() => socket.destroy())
  const stream = new PipeStream(pipe)
  const timer = setTimeout(() => pipe.end(), CONNECT_MS)
  const secured = await Promise.race([pipe.secured, new Promise<Result<never>>((resolve) => pipe.onClose((reason) => resolve(err('CHANNEL_TLS', reason))))])
  clearTimeout(timer)
  if (secured.ok) return ok({ pipe, stream })
  pipe.end()
  socket.destroy()
  return err('CHANNEL_TLS', secured.fault.message, secured.fault)
}

function openTcp(server: ServerPlace): Promise<Result<Socket>> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.host, port: server.port, noDelay: true })
    const timer = setTimeout(() => fail('no answer'), CONNECT_MS)
    const fail = (why: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(err('CHANNEL_UNREACHABLE', `${server.host}:${server.port} (${why})`))
    }
    socket.once('error', (e: NodeJS.ErrnoException) => fail(e.code ?? e.message))
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve(ok(socket))
    })
  })
}

class PipeStream extends Duplex {
  readonly #pipe: VaultPipe

  constructor(pipe: VaultPipe) {
    super()
    this.#pipe = pipe
    pipe.onPlain((plain) => void this.push(plain))
    pipe.onClose(() => {
      this.push(null)
      this.destroy()
    })
  }
  override _read(): void {
    // What arrives is pushed as it comes: the channel's own limits bound it.
  }
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#pipe.write(chunk.slice())
    done()
  }
  override _final(done: () => void): void {
    this.#pipe.end()
    done()
  }
  override _destroy(_error: Error | null, done: () => void): void {
    this.#pipe.end()
    done()
  }
  /** `ws` wants a socket. */
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
}
