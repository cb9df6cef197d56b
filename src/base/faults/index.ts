/** The registry of fault codes: one file per area, merged here. A code, once released, keeps its meaning. */
import { attestationFaults } from './attestation.ts'
import { audioFaults } from './audio.ts'
import { channelFaults } from './channel.ts'
import { clientFaults } from './client.ts'
import { configFaults } from './config.ts'
import { cryptoFaults } from './crypto.ts'
import { identityFaults } from './identity.ts'
import { journalFaults } from './journal.ts'
import { lineFaults } from './line.ts'
import { mediaFaults } from './media.ts'
import { mlsFaults } from './mls.ts'
import { noteFaults } from './notes.ts'
import { pageFaults } from './page.ts'
import { pbxFaults } from './pbx.ts'
import { relayFaults } from './relay.ts'
import { ringFaults } from './ring.ts'
import { roomFaults } from './room.ts'
import { sealedCallFaults } from './sealed-call.ts'
import { sipFaults } from './sip.ts'
import { storeFaults } from './store.ts'
import { vaultFaults } from './vault.ts'

export interface FaultEntry {
  /** What happened, without a full stop. */
  readonly what: string
  /** What the reader can do, a whole sentence. */
  readonly todo: string
}

export const faultTable = {
  ...attestationFaults,
  ...audioFaults,
  ...channelFaults,
  ...clientFaults,
  ...configFaults,
  ...cryptoFaults,
  ...identityFaults,
  ...journalFaults,
  ...lineFaults,
  ...mediaFaults,
  ...mlsFaults,
  ...noteFaults,
  ...pageFaults,
  ...pbxFaults,
  ...relayFaults,
  ...ringFaults,
  ...roomFaults,
  ...sealedCallFaults,
  ...sipFaults,
  ...vaultFaults,
  ...storeFaults,
} as const satisfies Record<string, FaultEntry>

export type FaultCode = keyof typeof faultTable
