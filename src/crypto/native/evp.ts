/** The part of OpenSSL 3's EVP interface that packet ciphers need, from the libcrypto inside the node binary. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { Address, ForeignType, Library } from '../../ffi/library.ts'
import { processLibrary } from '../../ffi/library.ts'
import { Memory } from '../../ffi/memory.ts'

/** EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG (openssl/evp.h). */
export const GET_TAG = 0x10
export const SET_TAG = 0x11

export interface Evp {
  readonly library: Library
  readonly gcm128: Address
  readonly gcm256: Address
  readonly ctr128: Address
  readonly hmac: Address
  /** An OSSL_PARAM array that chooses SHA-1 for a new HMAC. */
  readonly sha1: Address
  newCipher(): Address
  freeCipher(context: Address): void
  /** Context, cipher or 0, engine 0, key or 0, IV or 0, 1 to encrypt, 0 to decrypt. 1: done. */
  initCipher(context: Address, cipher: Address, engine: 0, key: Address, iv: Address, encrypt: 0 | 1): number
  /** Context, output (0: additional data), where the length goes (4 octets), input, its length. 1: done. */
  update(context: Address, to: Address, lengthTo: Address, from: Address, length: number): number
  final(context: Address, to: Address, lengthTo: Address): number
  control(context: Address, type: number, length: number, data: Address): number
  newMac(mac: Address): Address
  freeMac(context: Address): void
  /** Without a key (0, 0, 0): from the start, under the key of before. */
  initMac(context: Address, key: Address, length: number, parameters: Address): number
  updateMac(context: Address, data: Address, length: number): number
  finalMac(context: Address, to: Address, lengthTo: Address, room: number): number
}

const OSSL_PARAM_OCTETS = 40
const OSSL_PARAM_UTF8_STRING = 4
const OSSL_PARAM_UNMODIFIED = 0xffffffff

let loaded: Result<Evp & { readonly parameters: Memory }> | undefined

/** Looked up once per thread. Fails where Node was built without these symbols (a shared libcrypto shows them as well). */
export const evp = (): Result<Evp> => (loaded ??= load())

function load(): NonNullable<typeof loaded> {
  const found = processLibrary()
  if (!found.ok) return found
  const library = found.value
  const f = <T = number>(name: string, result: ForeignType, ...parameters: ForeignType[]) => library.find<T>(name, result, parameters)
  try {
    const fetchCipher = f('EVP_CIPHER_fetch', 'pointer', 'pointer', 'string', 'string')
    const parameters = sha1Parameters(library)
    const e = {
      library, parameters,
      gcm128: fetchCipher(0, 'AES-128-GCM', null), gcm256: fetchCipher(0, 'AES-256-GCM', null), ctr128: fetchCipher(0, 'AES-128-CTR', null),
      hmac: f('EVP_MAC_fetch', 'pointer', 'pointer', 'string', 'string')(0, 'HMAC', null), sha1: parameters.base,
      newCipher: f('EVP_CIPHER_CTX_new', 'pointer'), freeCipher: f<void>('EVP_CIPHER_CTX_free', 'void', 'pointer'),
      initCipher: f('EVP_CipherInit_ex', 'int', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'int'),
      update: f('EVP_CipherUpdate', 'int', 'pointer', 'pointer', 'pointer', 'pointer', 'int'),
      final: f('EVP_CipherFinal_ex', 'int', 'pointer', 'pointer', 'pointer'),
      control: f('EVP_CIPHER_CTX_ctrl', 'int', 'pointer', 'int', 'int', 'pointer'),
      newMac: f('EVP_MAC_CTX_new', 'pointer', 'pointer'), freeMac: f<void>('EVP_MAC_CTX_free', 'void', 'pointer'),
      initMac: f('EVP_MAC_init', 'int', 'pointer', 'pointer', 'size', 'pointer'),
      updateMac: f('EVP_MAC_update', 'int', 'pointer', 'pointer', 'size'),
      finalMac: f('EVP_MAC_final', 'int', 'pointer', 'pointer', 'pointer', 'size'),
    }
    const missing = (['gcm128', 'gcm256', 'ctr128', 'hmac'] as const).filter((name) => e[name] === 0)
    return missing.length === 0 ? ok(e) : err('NATIVE_UNAVAILABLE', `libcrypto has no ${missing.join(', ')}`)
  } catch (e) {
    return err('NATIVE_UNAVAILABLE', `libcrypto: ${e instanceof Error ? e.message : String(e)}`)
  }
}

/**
 * struct ossl_param_st { const char *key; unsigned int data_type; void *data; size_t data_size; size_t return_size; }
 * for "digest" = "SHA1", and the empty one that ends the array (openssl/core.h).
 */
function sha1Parameters(library: Library): Memory {
  const memory = new Memory(library, 2 * OSSL_PARAM_OCTETS + 16)
  const digest = 2 * OSSL_PARAM_OCTETS
  const sha1 = digest + 8
  memory.bytes.set(new TextEncoder().encode('digest'), digest)
  memory.bytes.set(new TextEncoder().encode('SHA1'), sha1)
  memory.view.setBigUint64(0, BigInt(memory.address(digest, 7)), true)
  memory.view.setUint32(8, OSSL_PARAM_UTF8_STRING, true)
  memory.view.setBigUint64(16, BigInt(memory.address(sha1, 5)), true)
  memory.view.setUint32(24, 4, true)
  memory.view.setUint32(32, OSSL_PARAM_UNMODIFIED, true)
  memory.view.setUint32(36, OSSL_PARAM_UNMODIFIED, true)
  return memory
}
