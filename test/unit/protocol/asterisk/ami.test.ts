/** The manager interface, played line by line as Asterisk 22 speaks it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../../src/base/brand.ts'
import { toHex, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { Secret } from '../../../../src/base/secret.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { AmiClient, type AmiField, type AmiIn, type AmiOut, AmiReader, encodeAction } from '../../../../src/protocol/asterisk/index.ts'

const crypto = createNodeCrypto()
const banner = 'Asterisk Call Manager/11.0.0\r\n'
const lines = (...l: string[]): string => `${l.join('\r\n')}\r\n\r\n`

class Play {
  readonly client = new AmiClient({ user: 'stc', secret: new Secret(utf8('s3cret')), crypto })
  now = 1000
  wakeAt: number | undefined
  readonly all: AmiOut[] = []
  step(input: AmiIn): readonly AmiOut[] {
    const { out, wakeAt } = this.client.step(input, instant(this.now))
    this.wakeAt = wakeAt
    this.all.push(...out)
    return out
  }
  says(text: string): readonly AmiOut[] {
    return this.step({ kind: 'bytes', bytes: utf8(text) })
  }
  /** Ticks as its driver would, up to an instant. */
  run(until: number): readonly AmiOut[] {
    const from = this.all.length
    while (this.wakeAt !== undefined && this.wakeAt <= until) {
      this.now = Math.max(this.now, this.wakeAt)
      this.step({ kind: 'tick' })
    }
    this.now = until
    return this.all.slice(from)
  }
  login(): this {
    this.step({ kind: 'start' })
    this.step({ kind: 'connected' })
    this.says(banner)
    this.says(lines('Response: Success', 'ActionID: stc-1', 'Challenge: 123456'))
    this.says(lines('Response: Success', 'ActionID: stc-2', 'Message: Authentication accepted'))
    this.all.length = 0
    return this
  }
}
const sent = (out: readonly AmiOut[]): string => out.map((o) => (o.kind === 'send' ? Buffer.from(o.bytes).toString() : '')).join('')
const kinds = (out: readonly AmiOut[]): string[] => out.map((o) => o.kind)

test('login by challenge: the secret itself is never sent', () => {
  const p = new Play()
  assert.deepEqual(kinds(p.step({ kind: 'start' })), ['connect'])
  p.step({ kind: 'connected' })
  assert.equal(sent(p.says(banner)), lines('Action: Challenge', 'ActionID: stc-1', 'AuthType: MD5'))
  const key = toHex(crypto.hash('md5', utf8('123456s3cret')))
  assert.equal(sent(p.says(lines('Response: Success', 'ActionID: stc-1', 'Challenge: 123456'))), lines('Action: Login', 'ActionID: stc-2', 'AuthType: MD5', 'Username: stc', `Key: ${key}`, 'Events: on'))
  assert.deepEqual(kinds(p.says(lines('Response: Success', 'ActionID: stc-2', 'Message: Authentication accepted'))), ['up'])
  assert.ok(!sent(p.all).includes('s3cret'))
})

test('a refused login is said, and tried again only after a while', () => {
  const p = new Play()
  p.step({ kind: 'start' })
  p.says(banner)
  p.says(lines('Response: Success', 'ActionID: stc-1', 'Challenge: 1'))
  const out = p.says(lines('Response: Error', 'ActionID: stc-2', 'Message: Authentication failed'))
  assert.deepEqual(out.map((o) => (o.kind === 'down' ? o.fault.code : o.kind)), ['close', 'PBX_LOGIN'])
  assert.deepEqual(p.run(p.now + 29_000), [])
  assert.deepEqual(kinds(p.run(p.now + 2000)), ['connect'])
})

test('actions get their answers, lists their events, in whatever order they come; other events pass between', () => {
  const p = new Play().login()
  p.step({ kind: 'action', ref: 7, action: 'ConfbridgeList', fields: [['Conference', '800']] })
  p.step({ kind: 'action', ref: 8, action: 'ConfbridgeKick', fields: [['Conference', '800'], ['Channel', 'x']] })
  assert.match(sent(p.all), /Action: ConfbridgeList\r\nActionID: stc-3\r\nConference: 800\r\n\r\nAction: ConfbridgeKick\r\nActionID: stc-4/)
  p.all.length = 0
  p.says(lines('Response: Success', 'ActionID: stc-3', 'EventList: start', 'Message: Confbridge user list will follow'))
  p.says(lines('Response: Error', 'ActionID: stc-4', 'Message: No Channel by that name found in Conference.'))
  p.says(lines('Event: ConfbridgeList', 'ActionID: stc-3', 'Channel: PJSIP/a-1') + lines('Event: ConfbridgeLeave', 'Channel: PJSIP/z-9') + lines('Event: ConfbridgeList', 'ActionID: stc-3', 'Channel: PJSIP/b-2'))
  p.says(lines('Event: ConfbridgeListComplete', 'ActionID: stc-3', 'EventList: Complete', 'ListItems: 2'))
  assert.deepEqual(kinds(p.all), ['answer', 'event', 'answer'])
  const [refused, event, list] = p.all
  assert.ok(refused?.kind === 'answer' && refused.ref === 8 && !refused.result.ok && refused.result.fault.code === 'PBX_ACTION' && /No Channel by that name/.test(refused.result.fault.message))
  assert.ok(event?.kind === 'event' && event.event.get('channel') === 'PJSIP/z-9')
  assert.ok(list?.kind === 'answer' && list.ref === 7 && list.result.ok)
  assert.deepEqual(list.result.value.slice(1).map((m) => m.get('Channel')), ['PJSIP/a-1', 'PJSIP/b-2'])
})

test('quiet: it is asked; silent: the connection is given up and made again, and waiting actions hear of it', () => {
  const p = new Play().login()
  assert.match(sent(p.run(p.now + 700)), /Action: Ping/)
  p.says(lines('Response: Success', 'ActionID: stc-3', 'Ping: Pong'))
  p.step({ kind: 'action', ref: 1, action: 'ConfbridgeListRooms', fields: [] })
  const began = p.now
  const out = p.run(began + 5000)
  assert.deepEqual(out.filter((o) => o.kind !== 'send').map((o) => (o.kind === 'down' ? o.fault.code : o.kind === 'answer' && !o.result.ok ? o.result.fault.code : o.kind)).slice(0, 4), ['PBX_SILENT', 'close', 'PBX_SILENT', 'connect'])
  const down = p.all.findIndex((o) => o.kind === 'down')
  assert.ok(down > 0)
})

test('a lost connection is tried again at once, later ever less often, never less than once a second', () => {
  const p = new Play().login()
  assert.deepEqual(kinds(p.step({ kind: 'closed', reason: 'reset' })), ['down'])
  const pauses: number[] = []
  for (let i = 0; i < 8; i++) {
    const at = p.wakeAt!
    pauses.push(at - p.now)
    assert.deepEqual(kinds(p.run(at)), ['connect'])
    p.step({ kind: 'closed', reason: 'refused', refused: true })
  }
  assert.deepEqual(pauses, [200, 400, 800, 1000, 1000, 1000, 1000, 1000])
})

test('what is no manager interface is left: a wrong banner, lines and messages without end', () => {
  for (const [text, code] of [['SSH-2.0-OpenSSH\r\n', 'PBX_SYNTAX'], ['x'.repeat(9000), 'PBX_TOO_LONG'], [`${banner}${'A: b\r\n'.repeat(600)}`, 'PBX_TOO_LONG'], [`${banner}${`A: ${'y'.repeat(8000)}\r\n`.repeat(9)}`, 'PBX_TOO_LONG']] as const) {
    const p = new Play()
    p.step({ kind: 'start' })
    const out = p.says(text)
    assert.deepEqual(out.filter((o) => o.kind !== 'send').map((o) => (o.kind === 'down' ? o.fault.code : o.kind)), ['close', code], text.slice(0, 20))
    assert.deepEqual(p.says(lines('Response: Success', 'ActionID: stc-1', 'Challenge: 1')), [], 'nothing more is taken')
  }
})

test('no line end gets into an action', () => {
  for (const value of ['800\r\nAction: Originate', 'a\nb', 'a\0b']) {
    const r = encodeAction('ConfbridgeKick', [['Conference', value]])
    assert.ok(!r.ok && r.fault.code === 'PBX_SYNTAX')
    const p = new Play().login()
    const out = p.step({ kind: 'action', ref: 1, action: 'ConfbridgeKick', fields: [['Conference', value]] })
    assert.deepEqual(kinds(out), ['answer'])
  }
})

test('too many questions at once are refused, not kept', () => {
  const p = new Play().login()
  for (let ref = 0; ref < 300; ref++) p.step({ kind: 'action', ref, action: 'Ping', fields: [] })
  const refused = p.all.filter((o) => o.kind === 'answer' && !o.result.ok && o.result.fault.code === 'PBX_BUSY')
  assert.equal(refused.length, 300 - 256)
})

test('property: any fields come back from any cut of the stream', () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,20}$/)
  const value = fc.string({ maxLength: 60, unit: 'grapheme' }).map((s) => s.replaceAll(/[\0-\x1f\x7f]/g, ' ').trim()).filter((s) => !s.includes('\u0085'))
  fc.assert(fc.property(fc.array(fc.array(fc.tuple(name, value), { maxLength: 8 }), { maxLength: 5 }), fc.array(fc.nat(600), { maxLength: 10 }), (messages, cuts) => {
    const bytes = utf8(banner + messages.map((m) => Buffer.from(must(encodeAction('Test', m as AmiField[]))).toString()).join(''))
    const reader = new AmiReader()
    const got = []
    let from = 0
    for (const cut of [...cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
      got.push(...must(reader.push(bytes.subarray(from, cut))))
      from = cut
    }
    assert.deepEqual(got.map((m) => m.fields), messages.map((m) => [['Action', 'Test'], ...m]))
  }))
})
