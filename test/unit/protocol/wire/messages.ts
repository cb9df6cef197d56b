/** One good message of every kind, for tests of the wire. */
import type { ClientMessage, ServerMessage } from '../../../../src/protocol/wire/messages.ts'

const b = (n: number, fill = 7): Uint8Array => new Uint8Array(n).fill(fill)
const room = 'board.1'

export const clientExamples: ClientMessage[] = [
  { k: 'hello', minVersion: 1, maxVersion: 1, capabilities: ['media-tls'], agent: 'stc 0.1.0' },
  { k: 'hop-offer', generation: 1, message: b(1216) },
  { k: 'room-open', room },
  { k: 'room-create', room, generation: 1, groupId: b(32), suite: 'x-wing', forwarding: 'all', maximumMembers: 16 },
  { k: 'room-join', room, generation: 2, keyPackage: b(3000) },
  { k: 'room-commit', room, generation: 1, epoch: 5n, commit: b(900), welcome: b(4000), adds: [3], removes: [{ leaf: 1, reason: 'host', evidence: b(100) }, { leaf: 2, reason: 'unreachable' }], refused: [{ id: 4, code: 'MLS_X', message: 'because' }] },
  { k: 'room-applied', room, seq: 3 },
  { k: 'room-rejected', room, seq: 3, hash: b(32), code: 'MLS_BAD' },
  { k: 'room-message', room, epoch: 2n ** 60n, message: b(300) },
  { k: 'room-leave', room, evidence: b(200) },
  { k: 'room-cancel', room },
  { k: 'ping', n: 1 },
  { k: 'pbx-act', conference: '800', act: 'kick', member: 3 },
  { k: 'pbx-act', conference: '800', act: 'lock' },
  { k: 'sip-request', id: 1, message: b(700) },
  { k: 'sip-response', id: 1, message: b(400) },
  { k: 'sip-refused', id: 2, status: 503, code: 'RELAY_DOWN', reason: 'gone' },
  { k: 'sip-cancel', id: 3, reason: 'SIP;cause=200' },
  { k: 'sip-ack', message: b(300) },
  { k: 'sip-contacts', contacts: ['sip:alice@127.0.0.1:6000'] },
]

export const serverExamples: ServerMessage[] = [
  { k: 'welcome', version: 1, capabilities: [], agent: 'stc 0.1.0', realm: 'example.org', session: 'a1b2', unixTime: 1_800_000_000, udp: [{ address: '::1', port: 7443 }] },
  { k: 'revocation', proofs: [{ kind: 'crl', der: b(400) }, { kind: 'ocsp', der: b(1200) }] },
  { k: 'hop-answer', generation: 1, message: b(1200), probe: 0xffff_ffff },
  { k: 'room-info', room, exists: true, generation: 1, suite: 'x-wing', forwarding: 'all', members: 2 },
  { k: 'room-info', room, exists: false, generation: 1, members: 0 },
  { k: 'room-created', room, generation: 1, ssrc: 1 },
  { k: 'room-queued', room, request: 1, ssrc: 2 },
  { k: 'room-welcome', room, generation: 1, seq: 1, welcome: b(4000) },
  { k: 'room-nominate', room, generation: 1, epoch: 0n, adds: [{ id: 1, keyPackage: b(3000) }], removes: [{ leaf: 2, reason: 'leave', evidence: b(10) }], deadlineMs: 1000 },
  { k: 'room-passed', room, epoch: 1n, reason: 'late' },
  { k: 'room-ordered', room, generation: 1, seq: 4, epoch: 3n, commit: b(800), removes: [] },
  { k: 'room-stands', room, seq: 4 },
  { k: 'room-settled', room, seq: 4 },
  { k: 'room-void', room, seq: 4 },
  { k: 'room-message', room, epoch: 4n, message: b(100) },
  { k: 'room-reset', room, generation: 2, reason: 'most are out of step' },
  { k: 'room-refused', room, code: 'ROOM_FULL', message: 'full' },
  { k: 'room-closed', room, reason: 'left' },
  { k: 'fault', code: 'ROOM_RATE', message: 'slow down', room },
  { k: 'pong', n: 1 },
  { k: 'pbx-certificate', chain: [b(900), b(800)] },
  { k: 'pbx-roster', conference: '800', current: true, locked: false, recorded: false, host: true, more: 0, members: [
    { id: 1, key: 'ab'.repeat(32), number: '200', name: 'Anna', call: 'f81d4fae@10.0.0.1', talking: true, host: true }, { id: 2, number: '+49301234', muted: true, recorded: true }, { id: 3 },
  ] },
  { k: 'pbx-left', conference: '800' },
  { k: 'sip-request', id: 1, message: b(700), streams: { up: 1, down: 2 } },
  { k: 'sip-response', id: 1, message: b(400) },
  { k: 'sip-refused', id: 2, status: 503, code: 'RELAY_DOWN', reason: 'gone' },
  { k: 'sip-cancel', id: 3, reason: 'SIP;cause=200' },
  { k: 'sip-ack', message: b(300) },
]
