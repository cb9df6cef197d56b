/** The one name of a call: the same in the client, the server's log and every member's journal. */
import { toHex } from '../base/bytes.ts'

const OCTETS = 8

/** Of a sealed conference: the end of its group's id, which is random and no secret. 16 hex digits. */
export const callIdOf = (groupId: Uint8Array): string => toHex(groupId.subarray(Math.max(0, groupId.length - OCTETS)))
