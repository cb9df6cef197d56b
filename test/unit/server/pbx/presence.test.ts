/** What the picture of Asterisk's conferences takes in, and where it stops growing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AmiField, AmiMessage } from '../../../../src/protocol/asterisk/ami/message.ts'
import { questionOf } from '../../../../src/server/pbx/identify.ts'
import { type Change, Presences } from '../../../../src/server/pbx/presence.ts'

const joins = (p: Presences, conference: string, uniqueId: string | undefined, channel: string | undefined): Change['kind'] => {
  const fields: AmiField[] = [['Event', 'ConfbridgeJoin'], ['Conference', conference]]
  if (uniqueId !== undefined) fields.push(['Uniqueid', uniqueId])
  if (channel !== undefined) fields.push(['Channel', channel])
  return p.event(new AmiMessage(fields)).kind
}

test('conferences whose name does not fit on our channel are left out', () => {
  const p = new Presences()
  for (const name of ['', 'two words', 'x'.repeat(65), 'räume']) assert.equal(joins(p, name, '1.1', 'PJSIP/a-1'), 'none', name)
  assert.equal(p.conferences.size, 0)
  assert.equal(joins(p, 'x'.repeat(64), '1.1', 'PJSIP/a-1'), 'changed')
})

test('an event without the channel or its number adds nobody', () => {
  const p = new Presences()
  for (const [id, channel] of [[undefined, 'PJSIP/a-1'], ['', 'PJSIP/a-1'], ['1.1', undefined]] as const) assert.equal(joins(p, '800', id, channel), 'none')
  assert.equal(p.conferences.get('800')?.members.size, 0)
})

test('a thousand conferences, and a thousand members in one, are the most', () => {
  const p = new Presences()
  for (let i = 0; i < 1000; i++) assert.equal(joins(p, `c${i}`, '1.1', 'PJSIP/a-1'), 'changed')
  assert.equal(joins(p, 'one-more', '1.1', 'PJSIP/a-1'), 'none')
  for (let i = 1; i < 1000; i++) assert.equal(joins(p, 'c0', `2.${i}`, `PJSIP/b-${i}`), 'changed')
  assert.equal(joins(p, 'c0', '3.1', 'PJSIP/c-1'), 'none')
  assert.deepEqual([p.conferences.size, p.conferences.get('c0')?.members.size], [1000, 1000])
})

test('a channel that is gone before it has said everything of its dialog is nobody’s', async () => {
  const all: Readonly<Record<string, string>> = { 'CHANNEL(pjsip,call-id)': 'id', 'CHANNEL(pjsip,target_uri)': 'sip:anna@192.0.2.1:5080', 'CHANNEL(pjsip,remote_addr)': '192.0.2.1:5080' }
  assert.deepEqual(await questionOf('PJSIP/anna-1', async (name) => all[name]), { callId: 'id', contactUser: 'anna', contactAt: '192.0.2.1:5080', remote: '192.0.2.1:5080' })
  for (const missing of Object.keys(all)) assert.equal(await questionOf('PJSIP/anna-1', async (name) => (name === missing ? undefined : all[name])).catch(() => 'thrown'), undefined, missing)
})
