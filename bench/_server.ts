/** The demo's server process, but with rooms of more than 16 members, all of them forwarded to all. */
import { ROOM_LIMITS } from '../src/protocol/room/limits.ts'

// No key updates after joins: the newest member would have to make them, and that one may be blind.
Object.assign(ROOM_LIMITS, { forwarding: ['all', 'loudest'], freshenMs: 1e9 })
// Where joining is not what is measured, many members in one thread may take their time over it.
if (process.env['STC_BENCH_PATIENT'] !== undefined) Object.assign(ROOM_LIMITS, { nominationMs: 20_000, applyMs: 20_000, applyMostMs: 20_000, welcomeMs: 60_000, healMs: 60_000, stuckMs: 60_000 })
await import('../src/cli/demo-process.ts')
