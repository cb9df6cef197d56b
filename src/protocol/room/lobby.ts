/** Whoever waits for a host: shown to the members, who can verify for themselves who it is, and asked for again when the policy changes. */
import type { JoinRequest, Room, RoomGroup, RoomMember } from './state.ts'

/** What a nominee says of somebody whom a host may still admit (protocol/mls/rules/admission.ts). */
export const LEFT_TO_A_HOST = 'MLS_LOBBY'

export function enterLobby(room: Room, g: RoomGroup, q: JoinRequest): void {
  g.lobby.push(q)
  room.send(q.session, { k: 'room-waiting', room: room.name, request: q.id })
  room.tellMembers(g, { k: 'room-knock', room: room.name, request: q.id, keyPackage: q.keyPackage })
}

export function leaveLobby(room: Room, g: RoomGroup, which: (q: JoinRequest) => boolean): void {
  const gone = g.lobby.filter(which)
  g.lobby = g.lobby.filter((q) => !gone.includes(q))
  for (const q of gone) room.tellMembers(g, { k: 'room-knock-over', room: room.name, request: q.id })
}

/** The policy is another one: everybody in the lobby is asked for once more. */
export function askAgain(room: Room, g: RoomGroup): void {
  const again = g.lobby
  leaveLobby(room, g, () => true)
  for (const q of again) {
    q.refusedBy = []
    q.knocks = true
    delete q.refusal
  }
  g.queue.push(...again)
}

/** A newcomer may be the host whom they wait for. */
export function showLobby(room: Room, g: RoomGroup, to: RoomMember): void {
  for (const q of g.lobby) room.send(to.session, { k: 'room-knock', room: room.name, request: q.id, keyPackage: q.keyPackage })
}
