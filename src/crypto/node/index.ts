/** The crypto port over node:crypto (Node 26, its own OpenSSL). */
import { randomBytes } from 'node:crypto'
import type { CryptoPort } from '../port.ts'
import { agreement } from './agreement.ts'
import { own } from './octets.ts'
import { packetCipher } from './packet-cipher.ts'
import { signatures } from './signatures.ts'
import { symmetric } from './symmetric.ts'

export function createNodeCrypto(): CryptoPort {
  return { bytes: (length) => own(randomBytes(length)), packetCipher, ...symmetric, ...agreement, ...signatures }
}
