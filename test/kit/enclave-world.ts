/** Conferences with a maker of processors of their own, whose enclaves the members believe. */
import type { TestContext } from 'node:test'
import { showMember } from '../../src/client/terminal.ts'
import type { Member } from '../../src/model/roster.ts'
import { encodeCollateral } from '../../src/protocol/sgx/collateral.ts'
import type { EnclaveOptions } from '../../src/vault/api/options.ts'
import type { Quoter } from '../../src/vault/inside/identity-keeper.ts'
import { worldFor } from './conference-checks.ts'
import type { ArriveOptions, ConferenceWorld, WorldMember, WorldOptions } from './conference-world.ts'
import { ProcessorMaker } from './sgx.ts'
import { VirtualClock } from './virtual-clock.ts'

export const NOW = new VirtualClock().unix()
export const MRENCLAVE = 'aa'.repeat(32)
export const intel = new ProcessorMaker(NOW)
export const BELIEVES: EnclaveOptions = { measurements: [MRENCLAVE], statuses: ['UpToDate'], collateral: [encodeCollateral(intel.collateral())] }

export const enclaveWorld = (t: TestContext, options: WorldOptions): Promise<ConferenceWorld> => worldFor(t, { media: false, processorRoot: intel.rootKey, enclaves: BELIEVES, ...options })
export const enclave = (quoter: Quoter = intel.enclave()): ArriveOptions => ({ keyProtection: 'enclave', quoter, measurement: 'cd'.repeat(32) })
export const row = (m: WorldMember, of: WorldMember): Member => m.roster.members.find((x) => x.identity.keyId === of.keyId)!
/** As the terminal says it. */
export const looks = (m: WorldMember, of: WorldMember): string => /keys: .*(?=\))/.exec(showMember(row(m, of)))![0]
