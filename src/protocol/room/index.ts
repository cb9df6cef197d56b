/** The server's side of one room. */
export { ROOM_LIMITS, type RoomLimits } from './limits.ts'
export { RoomMachine } from './machine.ts'
export type { RoomIn, RoomOut, RoomRequest, RoomState, Stream } from './state.ts'
