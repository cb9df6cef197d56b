/** What the windows of the page get of its phone's line, and what they can do with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeFault, ok } from '../../../../src/base/result.ts'
import { BrowserHandset } from '../../../../src/client/handset/browser/handset.ts'
import type { HandsetEvent } from '../../../../src/client/handset/port.ts'
import type { LineNews } from '../../../../src/client/own-line.ts'
import type { RunningCall } from '../../../../src/client/calls.ts'
import { applyEvent, type CallEvent, emptyRoster } from '../../../../src/model/roster.ts'
import { openDoor } from '../../../kit/page-door.ts'

const AT = 1 as never

async function stage(t: Parameters<typeof openDoor>[0]) {
  const d = await openDoor(t)
  const { hub } = d.page
  const did: string[] = []
  let tell: (n: LineNews) => void = () => {}
  const line = {
    number: '100', registered: true, fault: undefined, rings: [] as { id: string; number: string; name: string; at: never }[],
    refuse: (id: string) => ok(void did.push(`refuse ${id}`)), hold: (_: unknown, on: boolean) => void did.push(`hold ${on}`), transfer: (_: unknown, to: string) => void did.push(`transfer ${to}`),
    subscribe: (l: typeof tell) => {
      tell = l
      return { [Symbol.dispose]: () => {} }
    },
  }
  const call = (id: number, kind: 'sealed' | 'bridged', more: object) => ({ id, conference: id, name: '102', kind, startedAt: 0, muted: false, roster: emptyRoster('102', kind), toggleMute: () => void did.push(`mute ${id}`), input: (i: { kind: string }) => void did.push(`${i.kind} ${id}`), ...more })
  const calls = [call(3, 'bridged', { sipCalls: ['a'], line: { call: { state: 'up', number: '102', outgoing: true, held: false } } }), call(4, 'sealed', { sipCalls: ['a'], line: undefined })]
  const running: typeof calls = []
  hub.client = {
    get calls() {
      return running as unknown as RunningCall[]
    },
    handsetsOf: () => [], shownBy: (c) => (running as unknown as RunningCall[]).find((x) => x.line === undefined) ?? c, upstream: { line },
  }
  hub.line.begin()
  const event = (n: 0 | 1, e: CallEvent): void => {
    const c = calls[n]!
    if (!running.includes(c)) running.push(c)
    c.roster = applyEvent(c.roster, e)
    hub.observer.onEvent!(c as unknown as RunningCall, e)
  }
  const over = (n: 0 | 1): void => {
    running.splice(running.indexOf(calls[n]!), 1)
    hub.observer.onOver!(calls[n] as unknown as RunningCall, 'left', undefined)
  }
  return { ...d, hub, did, line, tell: (n: LineNews) => tell(n), event, over, w: await d.window() }
}

test('its registration and who rings, by the word of the network; taken with the ring, or declined', async (t) => {
  const s = await stage(t)
  const dials: HandsetEvent[] = []
  s.hub.browser?.subscribe((e) => dials.push(e))
  s.line.rings = [{ id: '0123456789abcdef0123456789abcdef', number: '102', name: 'Bert', at: AT }]
  s.tell({ kind: 'changed' })
  const { line } = await s.w.next('line', (m) => m.line.rings.length === 1)
  assert.deepEqual(line, { number: '100', registered: true, rings: [{ id: '0123456789abcdef0123456789abcdef', number: '102', name: 'Bert', at: AT }] })
  assert.equal((await s.w.command('line-answer', { ring: 'f'.repeat(32) })).fault?.code, 'LINE_OVER')
  assert.equal((await s.w.command('line-answer', { ring: '0123456789abcdef0123456789abcdef' })).fault, undefined)
  const [dial] = dials
  assert.ok(s.hub.browser instanceof BrowserHandset && dial?.kind === 'dial' && dial.answers === '0123456789abcdef0123456789abcdef' && dial.target === '102')
  await s.w.command('line-refuse', { ring: '0123456789abcdef0123456789abcdef' })
  assert.deepEqual(s.did, ['refuse 0123456789abcdef0123456789abcdef'])
  s.tell({ kind: 'missed', ring: s.line.rings[0]! })
  const { past } = await s.w.next('past')
  assert.deepEqual([past[0]!.room, past[0]!.direction, past[0]!.telephone], ['102', 'missed', true])
  s.tell({ kind: 'failed', fault: makeFault('LINE_NOT_TRANSFERRED', '403') })
  assert.equal((await s.w.next('notice')).fault.code, 'LINE_NOT_TRANSFERRED')
})

test('a call that turns out to be sealed is shown as that, muted and left as one, and remembered once', async (t) => {
  const s = await stage(t)
  assert.equal((await s.w.command('hold', { on: true })).fault?.code, 'PAGE_NO_CALL')
  s.event(0, { kind: 'phase', at: AT, phase: 'member' })
  assert.equal((await s.w.next('line', (m) => m.line.call !== undefined)).line.call!.call, 3)
  s.event(1, { kind: 'sealed-call', at: AT, number: '102', state: 'sealed', words: [] })
  assert.equal((await s.w.next('call', (m) => m.call.id === 3 && m.call.hidden === true)).call.hidden, true)
  assert.equal((await s.w.next('line', (m) => m.line.call?.call === 4)).line.call!.call, 4)
  for (const [c, args] of [['hold', { on: true }], ['transfer', { number: '103' }], ['mute', { call: 4, muted: true }], ['leave', { call: 4 }]] as const) assert.equal((await s.w.command(c, args)).fault, undefined, c)
  assert.deepEqual(s.did, ['hold true', 'transfer 103', 'mute 3', 'mute 4', 'leave 3'])
  for (const bad of [{}, { number: '' }, { number: '1 2' }, { number: 'sip:x@y' }]) assert.equal((await s.w.command('transfer', bad)).fault?.code, 'PAGE_COMMAND')
  s.over(0)
  const first = await s.w.next('over')
  assert.deepEqual([first.call, first.past?.direction, first.past?.telephone, first.past?.fault], [3, 'out', true, undefined])
  // What showed it ends after it.
  s.over(1)
  const second = await s.w.next('over', (m) => m.call === 4)
  assert.equal(second.past, undefined)
})

test('without an account there is no line, and its commands say so', async (t) => {
  const w = await (await openDoor(t)).window()
  for (const [c, args] of [['line-answer', { ring: 'f'.repeat(32) }], ['line-refuse', { ring: 'f'.repeat(32) }], ['hold', { on: true }], ['transfer', { number: '103' }]] as const) assert.match((await w.command(c, args)).fault?.code ?? '', /^LINE_/, c)
})
