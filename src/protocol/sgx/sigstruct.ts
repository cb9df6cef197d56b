/** SIGSTRUCT, the signed description that an enclave is started with (Intel SDM volume 3D §38.13), 1808 octets, little-endian. */
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'

export const SIGSTRUCT_OCTETS = 1808
const HEADER = Uint8Array.of(6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
const HEADER2 = Uint8Array.of(1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0)
const DEBUG = 2

export interface Sigstruct {
  /** ENCLAVEHASH, 32 octets. */
  readonly mrEnclave: Uint8Array
  /** RSA-3072, as it stands there (little-endian, 384 octets); its SHA-256 is MRSIGNER. The exponent is 3. */
  readonly modulus: Uint8Array
  /** PKCS #1 v1.5 with SHA-256, little-endian. */
  readonly signature: Uint8Array
  /** What is signed. */
  readonly signed: Uint8Array
  readonly debug: boolean
}

/** Shape alone: the signature is the caller's to verify. */
export function parseSigstruct(octets: Uint8Array): Result<Sigstruct> {
  if (octets.length !== SIGSTRUCT_OCTETS) return err('ATTESTATION_SIGSTRUCT', `${octets.length} octets, ${SIGSTRUCT_OCTETS} are right`)
  const at = (from: number, length: number): Uint8Array => octets.slice(from, from + length)
  if (!sameBytes(at(0, 16), HEADER) || !sameBytes(at(24, 16), HEADER2)) return err('ATTESTATION_SIGSTRUCT', 'its header is another')
  if (!sameBytes(at(512, 4), Uint8Array.of(3, 0, 0, 0))) return err('ATTESTATION_SIGSTRUCT', 'its exponent is not 3')
  const signed = new Uint8Array(256)
  signed.set(at(0, 128))
  signed.set(at(900, 128), 128)
  return ok({ mrEnclave: at(960, 32), modulus: at(128, 384), signature: at(516, 384), signed, debug: (octets[928]! & DEBUG) !== 0 })
}
