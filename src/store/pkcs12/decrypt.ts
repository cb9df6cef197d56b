/** Decryption by password as PKCS#12 and PKCS#5 define it (RFC 7292 §B, §C; RFC 8018 §6.2). */
import { createDecipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { concat } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { type AlgorithmIdentifier, readAlgorithm } from '../../protocol/x509/algorithm.ts'
import { DerReader, TAG } from '../../protocol/x509/der.ts'
import { rc2CbcDecrypt } from './rc2.ts'

const ITERATIONS_LIMIT = 10_000_000
const DIGEST: Readonly<Record<string, string>> = { '1.3.14.3.2.26': 'sha1', '2.16.840.1.101.3.4.2.1': 'sha256', '2.16.840.1.101.3.4.2.2': 'sha384', '2.16.840.1.101.3.4.2.3': 'sha512' }
const PRF: Readonly<Record<string, string>> = { '1.2.840.113549.2.7': 'sha1', '1.2.840.113549.2.9': 'sha256', '1.2.840.113549.2.10': 'sha384', '1.2.840.113549.2.11': 'sha512' }
const CIPHER: Readonly<Record<string, readonly [name: string, key: number]>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16], '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24], '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32], '1.2.840.113549.3.7': ['des-ede3-cbc', 24],
}
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
/** pbeWithSHAAnd… of PKCS#12: cipher, octets of key, effective bits of RC2. */
const OLD: Readonly<Record<string, readonly [name: string, key: number, bits: number]>> = {
  '1.2.840.113549.1.12.1.3': ['des-ede3-cbc', 24, 0], '1.2.840.113549.1.12.1.5': ['rc2', 16, 128], '1.2.840.113549.1.12.1.6': ['rc2', 5, 40],
}

export const digestName = (oid: string): string | undefined => DIGEST[oid]

/** The password as PKCS#12 hashes it: UTF-16, big-endian, with a zero at the end. */
export function bmpPassword(password: string): Uint8Array {
  const units = [...Array(password.length).keys()].map((i) => password.charCodeAt(i))
  return Uint8Array.from([...units, 0].flatMap((u) => [u >> 8, u & 0xff]))
}

/** RFC 7292 §B.2. `id`: 1 key, 2 IV, 3 MAC. */
export function pkcs12Key(digest: string, password: string, salt: Uint8Array, iterations: number, id: 1 | 2 | 3, length: number): Uint8Array {
  const v = digest === 'sha384' || digest === 'sha512' ? 128 : 64
  const fill = (bytes: Uint8Array): Uint8Array => Uint8Array.from({ length: v * Math.ceil(bytes.length / v) }, (_, i) => bytes[i % bytes.length]!)
  const input = concat(fill(salt), fill(bmpPassword(password)))
  let out: Uint8Array = new Uint8Array(0)
  while (out.length < length) {
    let a: Uint8Array = createHash(digest).update(new Uint8Array(v).fill(id)).update(input).digest()
    for (let i = 1; i < iterations; i++) a = createHash(digest).update(a).digest()
    out = concat(out, a)
    const b = Uint8Array.from({ length: v }, (_, i) => a[i % a.length]!)
    for (let block = 0; block < input.length; block += v) {
      let carry = 1
      for (let i = v - 1; i >= 0; i--) {
        carry += input[block + i]! + b[i]!
        input[block + i] = carry & 0xff
        carry >>= 8
      }
    }
  }
  return out.subarray(0, length)
}

/** What stands encrypted under this algorithm. A wrong password shows as wrong padding, or as nonsense. */
export function decryptByPassword(algorithm: AlgorithmIdentifier, data: Uint8Array, password: string): Result<Uint8Array> {
  const wrong = err('IDENTITY_PASSPHRASE_WRONG', 'the PKCS#12 file')
  const parameters = new DerReader(algorithm.parameters ?? new Uint8Array(0))
  const old = OLD[algorithm.oid]
  if (old !== undefined) {
    const fields = parameters.enter(TAG.sequence)
    const salt = fields.octetString()
    const iterations = fields.small()
    if (fields.failed || salt.length === 0 || iterations < 1 || iterations > ITERATIONS_LIMIT) return err('IDENTITY_PKCS12_MALFORMED', 'parameters')
    const [name, length, bits] = old
    const key = pkcs12Key('sha1', password, salt, iterations, 1, length)
    const iv = pkcs12Key('sha1', password, salt, iterations, 2, 8)
    const clear = name === 'rc2' ? rc2CbcDecrypt(key, bits, iv, data) : decipher(name, key, iv, data)
    return clear === undefined ? wrong : ok(clear)
  }
  if (algorithm.oid !== PBES2) return err('IDENTITY_PKCS12_UNSUPPORTED', `encryption ${algorithm.oid}`)
  const derived = readPbes2(parameters)
  if (derived === undefined) return err('IDENTITY_PKCS12_UNSUPPORTED', 'PBES2 with other algorithms than PBKDF2, AES-CBC and 3DES')
  const key = pbkdf2Sync(password, derived.salt, derived.iterations, derived.cipher[1], derived.prf)
  const clear = decipher(derived.cipher[0], key, derived.iv, data)
  return clear === undefined ? wrong : ok(clear)
}

function readPbes2(parameters: DerReader): { salt: Uint8Array; iterations: number; prf: string; cipher: readonly [string, number]; iv: Uint8Array } | undefined {
  const both = parameters.enter(TAG.sequence)
  const [kdf, scheme] = [readAlgorithm(both), readAlgorithm(both)]
  const fields = new DerReader(kdf.parameters ?? new Uint8Array(0), both.failure).enter(TAG.sequence)
  const salt = fields.octetString()
  const iterations = fields.small()
  if (fields.next(TAG.integer)) fields.small()
  const prf = fields.more ? PRF[readAlgorithm(fields).oid] : 'sha1'
  const iv = new DerReader(scheme.parameters ?? new Uint8Array(0), both.failure).octetString()
  const cipher = CIPHER[scheme.oid]
  const good = !both.failed && kdf.oid === PBKDF2 && iterations >= 1 && iterations <= ITERATIONS_LIMIT
  return good && prf !== undefined && cipher !== undefined ? { salt, iterations, prf, cipher, iv } : undefined
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  try {
    const d = createDecipheriv(name, key, iv)
    return concat(d.update(data), d.final())
  } catch {
    return undefined
  }
}

/** The file's own seal over its content (§4: MacData, RFC 9579: PBMAC1). */
export function macOf(mac: { readonly digest: AlgorithmIdentifier; readonly salt: Uint8Array; readonly iterations: number }, password: string, content: Uint8Array): Result<Uint8Array> {
  if (mac.iterations < 1 || mac.iterations > ITERATIONS_LIMIT) return err('IDENTITY_PKCS12_MALFORMED', 'iterations')
  const digest = digestName(mac.digest.oid)
  if (digest !== undefined) return ok(new Uint8Array(createHmac(digest, pkcs12Key(digest, password, mac.salt, mac.iterations, 3, createHash(digest).digest().length)).update(content).digest()))
  if (mac.digest.oid !== '1.2.840.113549.1.5.14') return err('IDENTITY_PKCS12_UNSUPPORTED', `seal ${mac.digest.oid}`)
  const both = new DerReader(mac.digest.parameters ?? new Uint8Array(0)).enter(TAG.sequence)
  const [kdf, scheme] = [readAlgorithm(both), readAlgorithm(both)]
  const fields = new DerReader(kdf.parameters ?? new Uint8Array(0), both.failure).enter(TAG.sequence)
  const [salt, iterations, length] = [fields.octetString(), fields.small(), fields.small()]
  const prf = fields.more ? PRF[readAlgorithm(fields).oid] : 'sha1'
  const hash = PRF[scheme.oid]
  if (both.failed || prf === undefined || hash === undefined || iterations < 1 || iterations > ITERATIONS_LIMIT || length > 128) return err('IDENTITY_PKCS12_UNSUPPORTED', 'seal')
  return ok(new Uint8Array(createHmac(hash, pbkdf2Sync(password, salt, iterations, length, prf)).update(content).digest()))
}
