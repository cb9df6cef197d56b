/** The plaintext of a vault's TLS connection as a stream, for libraries that want a socket. */
import { Duplex } from 'node:stream'
import type { VaultPipe } from '../../vault/api/calls.ts'

export function pipeDuplex(pipe: VaultPipe): Duplex {
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      pipe.write(new Uint8Array(chunk))
      done()
    },
    final(done) {
      pipe.end()
      done()
    },
    destroy(error, done) {
      pipe.end()
      done(error)
    },
  })
  pipe.onPlain((plain) => {
    if (!duplex.destroyed) duplex.push(Buffer.from(plain))
  })
  pipe.onClose(() => {
    if (!duplex.destroyed) duplex.push(null)
  })
  return duplex
}
