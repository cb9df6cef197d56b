/** Key packages: each made for one request to join one room, never published, used once. */
import type { Capabilities, KeyPackage, PrivateKeyPackage } from 'ts-mls'
import { generateKeyPackageWithKey, verifyKeyPackage } from 'ts-mls/keyPackage.js'
import { verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js'
import type { UnixTime } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { KeyPair } from '../../crypto/port.ts'
import type { MlsSuite } from '../../model/policy.ts'
import { EXTENSION } from './extension-types.ts'
import { CLOCK_SKEW_S, LEAF_LIFE_S, REQUEST_LIFE_S } from './limits.ts'
import { type JoinRequest, decodeRequest, encodeRequest } from './request-extension.ts'
import { type Suite, SUITES } from './suite.ts'

/** What a leaf signs with: a fresh key and the credential that delegates to it. */
export interface LeafKey {
  readonly credential: Uint8Array
  readonly signature: KeyPair
}

export interface OwnKeyPackage {
  readonly publicPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

const capabilities = (suite: MlsSuite): Capabilities => ({
  versions: ['mls10'],
  ciphersuites: [SUITES[suite].name],
  extensions: [EXTENSION.basePolicy, EXTENSION.statePolicy],
  proposals: [],
  credentials: ['basic'],
})

/** `request` is absent for the first leaf of a group, which asks nobody. */
export function makeKeyPackage(suite: Suite, key: LeafKey, request: JoinRequest | undefined, now: UnixTime): Promise<OwnKeyPackage> {
  const lifetime = { notBefore: BigInt(now - CLOCK_SKEW_S), notAfter: BigInt(now + LEAF_LIFE_S - CLOCK_SKEW_S) }
  const extensions = request === undefined ? [] : [{ extensionType: EXTENSION.request, extensionData: encodeRequest(request) }]
  const signatureKeys = { signKey: key.signature.privateKey, publicKey: key.signature.publicKey }
  return generateKeyPackageWithKey({ credentialType: 'basic', identity: key.credential }, capabilities(suite.suite), lifetime, extensions, signatureKeys, suite.impl)
}

export interface RequestedRoom {
  readonly room: string
  readonly realm: string
}

/** A key package by itself: its form, what it was made for, its time and its signatures. */
export async function checkKeyPackage(suite: Suite, kp: KeyPackage, asked: RequestedRoom, now: UnixTime): Promise<Result<JoinRequest>> {
  if (kp.version !== 'mls10') return err('MLS_KEY_PACKAGE', 'another version of MLS')
  if (kp.cipherSuite !== suite.impl.name) return err('MLS_KEY_PACKAGE_FOREIGN', 'made for another suite')
  const [extension, ...more] = kp.extensions
  if (extension === undefined || more.length > 0 || extension.extensionType !== EXTENSION.request) return err('MLS_EXTENSIONS', 'a key package without exactly the extension that says what it is for')
  const request = decodeRequest(extension.extensionData)
  if (!request.ok) return request
  const { room, realm, expiry } = request.value
  if (room !== asked.room || realm !== asked.realm) return err('MLS_KEY_PACKAGE_FOREIGN', 'made for another room')
  if (expiry + CLOCK_SKEW_S < now) return err('MLS_KEY_PACKAGE_EXPIRED', `${now - expiry} s ago`)
  if (expiry > now + REQUEST_LIFE_S + CLOCK_SKEW_S) return err('MLS_KEY_PACKAGE_EXPIRED', `valid for ${expiry - now} s`)
  const fresh = lifetimeFits(kp, now)
  if (!fresh.ok) return fresh
  if (sameBytes(kp.initKey, kp.leafNode.hpkePublicKey)) return err('MLS_KEY_PACKAGE', 'the same key in two places')
  const { signature } = suite.impl
  const signed = (await verifyLeafNodeSignatureKeyPackage(kp.leafNode, signature)) && (await verifyKeyPackage(kp, signature))
  return signed ? request : err('MLS_KEY_PACKAGE', 'its signature does not verify')
}

/** ts-mls asks the system's clock, or nobody; ours is asked here (RFC 9420 §7.2). */
function lifetimeFits(kp: KeyPackage, now: UnixTime): Result<undefined> {
  const { lifetime } = kp.leafNode
  const at = BigInt(now)
  const skew = BigInt(CLOCK_SKEW_S)
  if (lifetime.notBefore > at + skew || lifetime.notAfter + skew < at) return err('MLS_KEY_PACKAGE_EXPIRED', 'its leaf is not valid now')
  if (lifetime.notAfter - lifetime.notBefore > BigInt(LEAF_LIFE_S)) return err('MLS_KEY_PACKAGE_EXPIRED', 'its leaf would be valid for more than a day')
  return ok(undefined)
}
