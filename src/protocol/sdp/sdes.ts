/** SRTP keys in SDP (RFC 4568, RFC 7714 §14). */
import { fromBase64, toBase64 } from './base64.ts'
import type { MediaDescription } from './session.ts'
import { attributesOf } from './session.ts'

export type SdesSuite = 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM' | 'AES_CM_128_HMAC_SHA1_80'

/** Lengths of master key and salt in octets (RFC 4568 §6.2, RFC 7714 §12). */
export const sdesLengths: Readonly<Record<SdesSuite, readonly [key: number, salt: number]>> = {
  AEAD_AES_256_GCM: [32, 12],
  AEAD_AES_128_GCM: [16, 12],
  AES_CM_128_HMAC_SHA1_80: [16, 14],
}
/** In our order of preference. */
export const sdesSuites: readonly SdesSuite[] = ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80']

export interface SdesKey {
  readonly tag: number
  readonly suite: SdesSuite
  readonly masterKey: Uint8Array
  readonly masterSalt: Uint8Array
}

/** The crypto attributes that we can serve. Such with an MKI, several keys or session parameters are not (§6.1, §6.3: then refuse). */
export function sdesKeysOf(media: MediaDescription): readonly SdesKey[] {
  return attributesOf(media.attributes, 'crypto').flatMap((value) => {
    const parts = /^([0-9]{1,9}) ([A-Z0-9_]+) inline:([A-Za-z0-9+/=]+)(?:\|(2\^[0-9]{1,2}|[0-9]{1,15}))?$/.exec(value.trim())
    if (parts === null || !Object.hasOwn(sdesLengths, parts[2]!)) return []
    const suite = parts[2] as SdesSuite
    const [keyLength, saltLength] = sdesLengths[suite]
    const bytes = fromBase64(parts[3]!)
    if (bytes === undefined || bytes.length !== keyLength + saltLength) return []
    return [{ tag: Number(parts[1]), suite, masterKey: bytes.slice(0, keyLength), masterSalt: bytes.slice(keyLength) }]
  })
}

/** The value of a crypto attribute; in an answer the tag is that of the accepted offer (§5.1.2). */
export function sdesValue(key: SdesKey): string {
  const bytes = new Uint8Array(key.masterKey.length + key.masterSalt.length)
  bytes.set(key.masterKey)
  bytes.set(key.masterSalt, key.masterKey.length)
  return `${key.tag} ${key.suite} inline:${toBase64(bytes)}`
}
