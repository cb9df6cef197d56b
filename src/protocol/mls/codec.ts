/**
 * Decoding with the library, made strict. ts-mls ignores what follows a message and takes lengths that are not
 * minimal (RFC 9420 §2.1.2 forbids both), and throws on some malformed input: here every message is bounded, decoded,
 * and has to encode to the very same octets again.
 */
import type { KeyPackage, MLSMessage, Welcome } from 'ts-mls'
import { decodeMlsMessage, encodeMlsMessage } from 'ts-mls/message.js'
import type { Decoder } from 'ts-mls/codec/tlsDecoder.js'
import type { Encoder } from 'ts-mls/codec/tlsEncoder.js'
import type { PrivateMessage } from 'ts-mls/privateMessage.js'
import type { PublicMessage } from 'ts-mls/publicMessage.js'
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { APPLICATION_LIMIT, COMMIT_LIMIT, KEY_PACKAGE_LIMIT, WELCOME_LIMIT } from './limits.ts'

/** Decodes the whole of `bytes` or nothing. */
export function decodeExactly<T>(what: string, limit: number, bytes: Uint8Array, decode: Decoder<T>, encode: Encoder<T>): Result<T> {
  if (bytes.length > limit) return err('MLS_TOO_LARGE', `${what} of ${bytes.length} octets, at most ${limit} are taken`)
  try {
    const decoded = decode(bytes, 0)
    if (decoded === undefined) return err('MLS_MALFORMED', what)
    const [value, length] = decoded
    if (length !== bytes.length) return err('MLS_MALFORMED', `${what} with ${bytes.length - length} octets after its end`)
    if (!sameBytes(encode(value), bytes)) return err('MLS_MALFORMED', `${what} not in its one canonical encoding`)
    return ok(value)
  } catch {
    return err('MLS_MALFORMED', what)
  }
}

function decodeMessage<W extends MLSMessage['wireformat']>(what: string, limit: number, wireformat: W, bytes: Uint8Array): Result<Extract<MLSMessage, { wireformat: W }>> {
  // A copy: the library keeps views into it for as long as the group lives.
  const decoded = decodeExactly(what, limit, bytes.slice(), decodeMlsMessage, encodeMlsMessage)
  if (!decoded.ok) return decoded
  const message = decoded.value
  if (message.version !== 'mls10' || message.wireformat !== wireformat) return err('MLS_MALFORMED', `${what} of another kind`)
  return ok(message as Extract<MLSMessage, { wireformat: W }>)
}

export function decodeKeyPackageMessage(bytes: Uint8Array): Result<KeyPackage> {
  const m = decodeMessage('key package', KEY_PACKAGE_LIMIT, 'mls_key_package', bytes)
  return m.ok ? ok(m.value.keyPackage) : m
}

export function decodeWelcomeMessage(bytes: Uint8Array): Result<Welcome> {
  const m = decodeMessage('welcome', WELCOME_LIMIT, 'mls_welcome', bytes)
  return m.ok ? ok(m.value.welcome) : m
}

/** A handshake message has to be public: so that the server can check sender, epoch and size. */
export function decodeCommitMessage(bytes: Uint8Array): Result<PublicMessage> {
  const m = decodeMessage('commit', COMMIT_LIMIT, 'mls_public_message', bytes)
  return m.ok ? ok(m.value.publicMessage) : m
}

export function decodeApplicationMessage(bytes: Uint8Array): Result<PrivateMessage> {
  const m = decodeMessage('message', APPLICATION_LIMIT, 'mls_private_message', bytes)
  if (!m.ok) return m
  if (m.value.privateMessage.contentType !== 'application') return err('MLS_NOT_PUBLIC_COMMIT', 'a handshake message was sent as a private one')
  return ok(m.value.privateMessage)
}

export const encodeKeyPackageMessage = (keyPackage: KeyPackage): Uint8Array => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage })
export const encodeWelcomeMessage = (welcome: Welcome): Uint8Array => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome })
export const encodeCommitMessage = (publicMessage: PublicMessage): Uint8Array => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage })
export const encodeApplicationMessage = (privateMessage: PrivateMessage): Uint8Array => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage })
