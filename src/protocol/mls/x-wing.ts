/**
 * X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 in one KEM. Public key 1184 ‖ 32 octets,
 * private key a seed of 32, ciphertext 1088 ‖ 32, shared secret 32.
 */
import { concat } from '../../base/bytes.ts'
import type { CryptoPort, KeyPair } from '../../crypto/port.ts'

const SEED = 32
const ML_KEM_PUBLIC = 1184
const ML_KEM_CIPHERTEXT = 1088
const X25519 = 32
export const X_WING_PUBLIC = ML_KEM_PUBLIC + X25519
export const X_WING_CIPHERTEXT = ML_KEM_CIPHERTEXT + X25519

/** §5.3: `\.//^\` */
const LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c)

interface Expanded {
  readonly mlKem: KeyPair
  readonly x25519: KeyPair
}

/** §5.2 expandDecapsulationKey. */
function expand(crypto: CryptoPort, seed: Uint8Array): Expanded {
  const expanded = crypto.shake256(96, seed)
  return {
    mlKem: crypto.kemKeyPair('ml-kem-768', expanded.subarray(0, 64)),
    x25519: crypto.dhKeyPair('x25519', expanded.slice(64, 96)),
  }
}

/** §5.3 Combiner. */
const combine = (crypto: CryptoPort, ssMlKem: Uint8Array, ssX25519: Uint8Array, ctX25519: Uint8Array, pkX25519: Uint8Array): Uint8Array =>
  crypto.hash('sha3-256', ssMlKem, ssX25519, ctX25519, pkX25519, LABEL)

export function xWingKeyPair(crypto: CryptoPort, seed: Uint8Array): KeyPair {
  if (seed.length !== SEED) throw new RangeError(`X-Wing private key of ${seed.length} octets`)
  const { mlKem, x25519 } = expand(crypto, seed)
  return { publicKey: concat(mlKem.publicKey, x25519.publicKey), privateKey: seed }
}

/** Undefined for a malformed public key. */
export function xWingEncapsulate(crypto: CryptoPort, publicKey: Uint8Array): { ciphertext: Uint8Array; shared: Uint8Array } | undefined {
  if (publicKey.length !== X_WING_PUBLIC) return undefined
  const mlKem = crypto.kemEncapsulate('ml-kem-768', publicKey.subarray(0, ML_KEM_PUBLIC))
  const pkX25519 = publicKey.subarray(ML_KEM_PUBLIC)
  const ephemeral = crypto.dhKeyPair('x25519', crypto.bytes(X25519))
  const dh = crypto.dh('x25519', ephemeral.privateKey, pkX25519)
  if (mlKem === undefined || dh === undefined) return undefined
  return {
    ciphertext: concat(mlKem.ciphertext, ephemeral.publicKey),
    shared: combine(crypto, mlKem.shared, dh, ephemeral.publicKey, pkX25519),
  }
}

/** Undefined for a malformed ciphertext. */
export function xWingDecapsulate(crypto: CryptoPort, seed: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  if (ciphertext.length !== X_WING_CIPHERTEXT) return undefined
  const { mlKem, x25519 } = expand(crypto, seed)
  const ctX25519 = ciphertext.subarray(ML_KEM_CIPHERTEXT)
  const ss = crypto.kemDecapsulate('ml-kem-768', mlKem.privateKey, ciphertext.subarray(0, ML_KEM_CIPHERTEXT))
  const dh = crypto.dh('x25519', x25519.privateKey, ctX25519)
  if (ss === undefined || dh === undefined) return undefined
  return combine(crypto, ss, dh, ctX25519, x25519.publicKey)
}
