/** FastAGI sessions as Asterisk 22 begins and answers them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { agiCommand, type AgiOut, AgiSession, parseReply } from '../../../../src/protocol/asterisk/index.ts'

const environment = [
  'agi_network: yes', 'agi_network_script: admit', 'agi_request: agi://127.0.0.1:4573/admit', 'agi_channel: PJSIP/anna-00000001', 'agi_language: en', 'agi_type: PJSIP',
  'agi_uniqueid: 1795262400.1', 'agi_version: 22.10.1', 'agi_callerid: 200', 'agi_calleridname: Anna (home)', 'agi_callingpres: 0', 'agi_context: phones', 'agi_extension: 800',
  'agi_priority: 3', 'agi_enhanced: 0.0', 'agi_accountcode: ', 'agi_threadid: 139', 'agi_arg_1: 800', 'agi_arg_2: en',
]
const opened = (lines = environment): { session: AgiSession; out: readonly AgiOut[] } => {
  const session = new AgiSession()
  session.step({ kind: 'start' }, instant(0))
  return { session, out: session.step({ kind: 'bytes', bytes: utf8(`${lines.join('\n')}\n\n`) }, instant(1)).out }
}
const says = (s: AgiSession, text: string, at = 2): readonly AgiOut[] => s.step({ kind: 'bytes', bytes: utf8(text) }, instant(at)).out

test('the environment names the call', () => {
  const { out } = opened()
  assert.deepEqual(out, [{ kind: 'request', request: {
    script: 'admit', uniqueId: '1795262400.1', channel: 'PJSIP/anna-00000001', callerNumber: '200', callerName: 'Anna (home)', extension: '800', context: 'phones', arguments: ['800', 'en'],
  } }])
})

test('commands are answered one at a time; usage texts and refusals are answers', () => {
  const { session } = opened()
  const line = must(agiCommand('GET VARIABLE', 'CHANNEL(endpoint)'))
  assert.equal(line, 'GET VARIABLE "CHANNEL(endpoint)"\n')
  assert.deepEqual(session.step({ kind: 'command', line }, instant(2)).out.map((o) => o.kind), ['send'])
  assert.deepEqual(says(session, '200 result=1 (sip:x@h;a="(b)")\n'), [{ kind: 'reply', reply: { code: 200, result: '1', data: 'sip:x@h;a="(b)"' } }])
  session.step({ kind: 'command', line }, instant(3))
  assert.deepEqual(says(session, '520-Invalid command syntax.  Proper usage follows:\n Usage: x\n520 End of proper usage.\n'), [{ kind: 'reply', reply: { code: 520, result: '' } }])
  session.step({ kind: 'command', line }, instant(3))
  assert.deepEqual(says(session, '200 result=0\n'), [{ kind: 'reply', reply: { code: 200, result: '0' } }])
  session.step({ kind: 'command', line }, instant(3))
  assert.deepEqual(says(session, '510 Invalid or unknown command\n'), [{ kind: 'reply', reply: { code: 510, result: '' } }])
})

test('no command can be smuggled into another', () => {
  assert.equal(must(agiCommand('SET VARIABLE', 'A', 'x" "y\\')), 'SET VARIABLE "A" "x\\" \\"y\\\\"\n')
  for (const bad of ['a\nHANGUP', 'a\rb', 'a\0b']) assert.ok(!agiCommand('SET VARIABLE', 'A', bad).ok)
})

test('what is no AGI ends with a code: other protocols, doubled lines, no call, answers to nothing, a hang-up, silence', () => {
  const code = (out: readonly AgiOut[]): string | undefined => out.map((o) => (o.kind === 'failed' ? o.fault.code : o.kind)).at(-1)
  assert.equal(code(opened(['GET / HTTP/1.1']).out), 'PBX_SYNTAX')
  assert.equal(code(opened([...environment, environment[0]!]).out), 'PBX_SYNTAX')
  assert.equal(code(opened(environment.filter((l) => !l.startsWith('agi_uniqueid'))).out), 'PBX_SYNTAX')
  assert.equal(code(says(opened().session, '200 result=1\n')), 'PBX_SYNTAX')
  assert.equal(code(says(opened().session, 'HANGUP\n')), 'PBX_GONE')
  assert.equal(code(says(new AgiSession(), `agi_a: ${'x'.repeat(9000)}`, 0)), 'PBX_TOO_LONG')
  const many = Array.from({ length: 300 }, (_, i) => `agi_x${i}: 1`)
  assert.equal(code(opened(many).out), 'PBX_TOO_LONG')
  const slow = new AgiSession()
  const { wakeAt } = slow.step({ kind: 'start' }, instant(0))
  assert.equal(code(slow.step({ kind: 'tick' }, wakeAt!).out), 'PBX_SILENT')
  const { session } = opened()
  const asked = session.step({ kind: 'command', line: 'NOOP\n' }, instant(10))
  assert.equal(code(session.step({ kind: 'tick' }, asked.wakeAt!).out), 'PBX_SILENT')
  assert.deepEqual(says(session, '200 result=1\n'), [], 'nothing more is taken')
})

test('property: what is quoted comes back as one argument', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary-ascii', maxLength: 40 }), (text) => {
    const line = agiCommand('SET VARIABLE', 'V', text)
    if (/[\0-\x1f\x7f]/.test(text)) return assert.ok(!line.ok)
    const quoted = must(line).slice('SET VARIABLE "V" '.length, -1)
    assert.equal(quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1'), text)
    assert.doesNotMatch(quoted.slice(1, -1).replaceAll(/\\./g, ''), /["\\]/)
  }))
})

test('property: an answer is parsed or refused', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.tuple(fc.nat(999), fc.string()).map(([n, s]) => `${n} result=${s}`)), (line) => {
    const r = parseReply(line)
    if (!r.ok) assert.equal(r.fault.code, 'PBX_SYNTAX')
  }))
})
