/**
 * The group context extensions are exactly the base policy and the state, byte for byte what is expected: the base
 * never changes in a group, the state only to a signed successor. No external_senders, nothing twice.
 */
import type { Extension } from 'ts-mls'
import { sameBytes } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import { EXTENSION } from '../extension-types.ts'
import { type SignedBase, type SignedState, succeeds, verifyBase, verifyState } from '../policy-extension.ts'

export interface Policies {
  readonly base: SignedBase
  readonly state: SignedState
}

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
  const base = verifyBase(crypto, first.extensionData)
  if (!base.ok) return base
  const state = verifyState(crypto, second.extensionData, base.value)
  return state.ok ? ok({ base: base.value, state: state.value }) : state
}

/** What a GroupContextExtensions proposal may turn `now` into. */
export function nextContext(crypto: CryptoPort, now: Policies, extensions: readonly Extension[]): Result<Policies> {
  const [first, second, ...more] = extensions
  const unchanged = first?.extensionType === EXTENSION.basePolicy && sameBytes(first.extensionData, now.base.bytes)
  if (!unchanged || second?.extensionType !== EXTENSION.statePolicy || more.length > 0) return err('MLS_CONTEXT_CHANGED')
  const state = verifyState(crypto, second.extensionData, now.base)
  if (!state.ok) return err('MLS_CONTEXT_CHANGED', state.fault.code, state.fault)
  return succeeds(state.value, now.state) ? ok({ base: now.base, state: state.value }) : err('MLS_CONTEXT_CHANGED', 'the new state does not follow the present one')
}
