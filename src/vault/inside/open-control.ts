/** Makes the control part of a vault from its options: certificate, key, authorities. */
import type { Clock } from '../../base/ports.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { parseCertificate } from '../../protocol/x509/certificate.ts'
import { delegationAlgorithm } from '../../protocol/x509/delegation.ts'
import { identityOf, makeAnchors } from '../../protocol/x509/path.ts'
import type { VaultOptions } from '../api/options.ts'
import { VaultControl } from './control.ts'
import type { FrameCommand } from './frame-commands.ts'
import { type EnclaveWorld, IdentityKeeper } from './identity-keeper.ts'
import { VaultState } from './state.ts'
import { clientContext } from './tls-pipe.ts'

const JOURNAL_ONLY: ReadonlySet<string> = new Set(['identity.show', 'journal.read'])

/** Fails when the certificate is not valid for a member now, or the key is not its own. */
export function openControl(crypto: CryptoPort, clock: Clock, options: VaultOptions, frames: (c: FrameCommand) => void, enclave: EnclaveWorld = {}): Result<VaultControl> {
  const [endEntity] = options.chain
  if (endEntity === undefined) return err('IDENTITY_CHAIN_EMPTY')
  const certificate = parseCertificate(endEntity)
  if (!certificate.ok) return certificate
  const algorithm = delegationAlgorithm(certificate.value.key)
  if (algorithm === undefined) return err('IDENTITY_DELEGATION_ALGORITHM', 'our own certificate')
  const anchors = makeAnchors(options.anchors, options.shownName)
  if (!anchors.ok) return anchors
  const { chain, pkcs8, realm, kind = 'member', keyProtection = 'in-process', revocation = {} } = options
  const trust = { ...(options.enclaves === undefined ? {} : { enclaves: options.enclaves }), ...(enclave.processorRoot === undefined ? {} : { processorRoot: enclave.processorRoot }), realm, anchors: anchors.value, rule: revocation.rule ?? 'named' as const }
  try {
    const keeper = new IdentityKeeper(crypto, { ...(options.journalOnly === true ? { unverified: identityOf(crypto, certificate.value, options.shownName) } : {}), chain, signer: crypto.signer(algorithm, pkcs8), kind, keyProtection, ...(options.measurement === undefined ? {} : { measurement: options.measurement }), ...(enclave.quoter === undefined ? {} : { quoter: enclave.quoter }) }, trust, revocation.proofs)
    keeper.known.endorse(options.enclaves?.collateral ?? [], clock.unix())
    const shown = keeper.show(clock.unix())
    if (!shown.ok) return shown
    keeper.keepJournal(clock, pkcs8)
    const state = new VaultState(crypto, clock, keeper, frames, options.firstSession ?? 1)
    const loaded = options.journalOnly === true ? ok(undefined) : state.load(options)
    if (!loaded.ok) return loaded
    return ok(new VaultControl(state, { crypto, clock, keeper, context: clientContext(chain, pkcs8) }, options.journalOnly === true ? JOURNAL_ONLY : undefined))
  } catch {
    // OpenSSL and the crypto port throw on a key that is none, or not the certificate's.
    return err('IDENTITY_KEY_MISMATCH', 'our own')
  }
}
