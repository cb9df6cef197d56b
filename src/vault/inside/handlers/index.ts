import type { VaultCallName } from '../../api/calls.ts'
import type { Handlers } from '../state.ts'
import { callHandlers } from './call.ts'
import { hopHandlers } from './hop.ts'
import { identityHandlers } from './identity.ts'
import { journalHandlers } from './journal.ts'
import { noticeHandlers } from './notice.ts'
import { policyHandlers } from './policy.ts'
import { ringHandlers } from './ring.ts'
import { roomActHandlers } from './room-act.ts'
import { roomBeginHandlers } from './room-begin.ts'
import { roomHandlers } from './room.ts'

/** Every call of the vault. */
export const handlers: Handlers<VaultCallName> = { ...identityHandlers, ...hopHandlers, ...roomBeginHandlers, ...roomHandlers, ...roomActHandlers, ...policyHandlers, ...noticeHandlers, ...journalHandlers, ...callHandlers, ...ringHandlers }
