/** Hostile octets where Asterisk should speak: the machines end with a code or go on, and keep nothing without limit. */
import assert from 'node:assert/strict'
import { instant } from '../../src/base/brand.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { Secret } from '../../src/base/secret.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { AgiSession, AmiClient } from '../../src/protocol/asterisk/index.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

const crypto = createNodeCrypto()
const BUDGET_MS = 500
/** As many runs as all outcomes need, however slow the machine. */
const LEAST = 3000

const ami = [
  'Asterisk Call Manager/11.0.0\r\n', 'Response: Success\r\nActionID: stc-1\r\nChallenge: 1\r\n\r\n', 'Response: Success\r\nActionID: stc-2\r\n\r\n',
  'Response: Success\r\nActionID: stc-3\r\nEventList: start\r\n\r\n', 'Event: ConfbridgeList\r\nActionID: stc-3\r\nChannel: PJSIP/a\r\n\r\n',
  'Event: ConfbridgeListComplete\r\nActionID: stc-3\r\nEventList: Complete\r\n\r\n', 'Event: FullyBooted\r\n\r\n', 'Response: Error\r\nActionID: stc-4\r\nMessage: no\r\n\r\n', ':', '\r\n', '\n', '\0\xff', ': :\r\n',
]
const agi = ['agi_network_script: admit\n', 'agi_uniqueid: 1.1\n', 'agi_channel: PJSIP/a\n', '\n', '200 result=1 (x)\n', '200 result=0\n', '520-Usage\n', '520 End\n', '510 no\n', 'HANGUP\n', 'agi_', ': ', '\r\n']

function stream(parts: readonly string[], n: SeededNumbers): Uint8Array {
  const bytes = utf8(Array.from({ length: 1 + n.int(20) }, (_, i) => (n.chance(0.7) && i < parts.length ? parts[i]! : n.pick(parts))).join(''))
  for (let i = n.int(4); i > 0; i--) bytes[n.int(bytes.length)] = n.int(256)
  return bytes
}

seededTest('AMI', (seed) => {
  const n = new SeededNumbers(seed)
  const seen = new Set<string>()
  const until = performance.now() + BUDGET_MS
  for (let i = 0; i < LEAST || performance.now() < until; i++) {
    const client = new AmiClient({ user: 'u', secret: new Secret(utf8('s')), crypto })
    let now = 0
    const step = (input: Parameters<AmiClient['step']>[0]): void => {
      for (const o of client.step(input, instant(now)).out) seen.add(o.kind === 'down' ? o.fault.code : o.kind)
    }
    step({ kind: 'start' })
    for (let i = 0; i < 6; i++) {
      const bytes = stream(ami, n)
      const cut = n.int(bytes.length)
      step({ kind: 'bytes', bytes: bytes.subarray(0, cut) })
      step({ kind: 'action', ref: i, action: 'ConfbridgeList', fields: [['Conference', '8']] })
      now += n.int(3000)
      step(n.chance(0.1) ? { kind: 'closed', reason: 'x' } : { kind: 'bytes', bytes: bytes.subarray(cut) })
      step({ kind: 'tick' })
    }
  }
  for (const kind of ['up', 'event', 'answer', 'PBX_SYNTAX', 'PBX_GONE', 'PBX_SILENT']) assert.ok(seen.has(kind), `${kind} among ${[...seen].join(' ')}`)
})

seededTest('AGI', (seed) => {
  const n = new SeededNumbers(seed)
  const seen = new Set<string>()
  const until = performance.now() + BUDGET_MS
  for (let i = 0; i < LEAST || performance.now() < until; i++) {
    const session = new AgiSession()
    session.step({ kind: 'start' }, instant(0))
    let idle = false
    for (let i = 0; i < 6; i++) {
      const { out } = session.step({ kind: 'bytes', bytes: stream(agi, n) }, instant(i))
      for (const o of out) {
        seen.add(o.kind === 'failed' ? o.fault.code : o.kind)
        idle = o.kind === 'request' || o.kind === 'reply'
      }
      if (idle) session.step({ kind: 'command', line: 'NOOP\n' }, instant(i))
      idle = false
    }
  }
  for (const kind of ['request', 'reply', 'PBX_SYNTAX', 'PBX_GONE']) assert.ok(seen.has(kind), `${kind} among ${[...seen].join(' ')}`)
})
