/**
 * The group context extensions are exactly the base policy and the state, byte for byte what is expected: the base only
 * changes to a later one that an owner signed, the state only to a signed successor. No external_senders, nothing twice.
 */
import type { Extension } from 'ts-mls'
import { sameBytes } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import type { SignedRoom } from '../../../model/policy.ts'
import { type Policies, type SignedBase, notFollowing, readPolicies, succeeds, verifyBase, verifyState } from '../../policy/signed-policy.ts'
import { EXTENSION } from '../extension-types.ts'

export const contextExtensions = (p: Policies): Extension[] => [
  { extensionType: EXTENSION.basePolicy, extensionData: p.base.bytes },
  { extensionType: EXTENSION.statePolicy, extensionData: p.state.bytes },
]

export const sameExtensions = (a: readonly Extension[], b: readonly Extension[]): boolean =>
  a.length === b.length && a.every((e, i) => e.extensionType === b[i]!.extensionType && sameBytes(e.extensionData, b[i]!.extensionData))

/** The policies of a group that we are about to join. */
export function readContext(crypto: CryptoPort, extensions: readonly Extension[]): Result<Policies> {
  const [first, second, ...more] = extensions
  if (first?.extensionType !== EXTENSION.basePolicy || second?.extensionType !== EXTENSION.statePolicy || more.length > 0) {
    return err('MLS_EXTENSIONS', 'the group context does not consist of the two policies')
  }
  return readPolicies(crypto, { base: first.extensionData, state: second.extensionData })
}

/** What a GroupContextExtensions proposal may turn `now` into. */
export function nextContext(crypto: CryptoPort, now: Policies, extensions: readonly Extension[]): Result<Policies> {
  const [first, second, ...more] = extensions
  if (first?.extensionType !== EXTENSION.basePolicy || second?.extensionType !== EXTENSION.statePolicy || more.length > 0) return err('MLS_CONTEXT_CHANGED')
  return nextPolicies(crypto, now, { base: first.extensionData, state: second.extensionData })
}

/** The policies in these octets, where they may come right after `now`. */
export function nextPolicies(crypto: CryptoPort, now: Policies, signed: SignedRoom): Result<Policies> {
  const base = nextBase(crypto, now.base, signed.base)
  if (!base.ok) return base
  const state = verifyState(crypto, signed.state, base.value)
  if (!state.ok) return err('MLS_CONTEXT_CHANGED', state.fault.code, state.fault)
  return succeeds(state.value, now.state) ? ok({ base: base.value, state: state.value }) : err('MLS_CONTEXT_CHANGED', 'the new state does not follow the present one')
}

function nextBase(crypto: CryptoPort, now: SignedBase, bytes: Uint8Array): Result<SignedBase> {
  if (sameBytes(bytes, now.bytes)) return ok(now)
  const base = verifyBase(crypto, bytes)
  if (!base.ok) return err('MLS_CONTEXT_CHANGED', base.fault.code, base.fault)
  const wrong = notFollowing(base.value, now)
  return wrong === undefined ? base : err('MLS_CONTEXT_CHANGED', wrong)
}
