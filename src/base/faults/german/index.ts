/** The registry of fault codes in German: the same codes, checked by the compiler, area by area. */
import type { FaultCode, FaultEntry } from '../index.ts'
import { connectionGerman } from './connection.ts'
import { identityGerman } from './identity.ts'
import { mediaGerman } from './media.ts'
import { roomsGerman } from './rooms.ts'
import { telephonyGerman } from './telephony.ts'

export const germanFaults: Record<FaultCode, FaultEntry> = { ...connectionGerman, ...identityGerman, ...mediaGerman, ...roomsGerman, ...telephonyGerman }
