import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RunningCall } from '../../../../src/client/calls.ts'
import { emptyRoster } from '../../../../src/model/roster.ts'
import { openDoor } from '../../../kit/page-door.ts'

test('what is not in the table is refused by its code', async (t) => {
  const w = await (await openDoor(t)).window()
  const refused: readonly (readonly [string, object])[] = [
    ['nothing', {}], ['constructor', {}], ['__proto__', {}], ['mute', {}], ['mute', { call: 'x', muted: true }], ['mute', { call: 1, muted: true, more: 1 }], ['dial', { number: '' }],
    ['dial', { number: 'x'.repeat(129) }], ['digit', { digit: '12' }], ['volume', { call: 1, keyId: 'x', gain: 1 }], ['volume', { call: 1, keyId: 'a'.repeat(64), gain: 5 }], ['setup.identity', { files: ['%'], passphrase: '' }],
  ]
  for (const [c, args] of refused) assert.equal((await w.command(c, args)).fault?.code, 'PAGE_COMMAND', `${c} ${JSON.stringify(args)}`)
})

test('commands about calls that are over say so, set-up of a client that is set up too', async (t) => {
  const w = await (await openDoor(t)).window()
  assert.equal((await w.command('mute', { call: 7, muted: true })).fault?.code, 'PAGE_NO_CALL')
  assert.equal((await w.command('leave', { call: 7 })).fault?.code, 'PAGE_NO_CALL')
  assert.equal((await w.command('remove', { call: 7, keyId: 'a'.repeat(64), ban: false })).fault?.code, 'PAGE_NO_CALL')
  assert.equal((await w.command('setup.server', { server: 'x' })).fault?.code, 'PAGE_SET_UP')
})

test('any JSON as a command gets an answer or closes the window, and nothing else', async (t) => {
  const d = await openDoor(t)
  const w = await d.window()
  await fc.assert(fc.asyncProperty(fc.string(), fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), async (c, args) => {
    const { k } = await w.command(c, Object.fromEntries(Object.entries(args).filter(([name]) => name !== 'ref' && name !== 'c')))
    assert.equal(k, 'done')
  }), { numRuns: 60 })
  assert.equal((await w.command('hangup')).fault, undefined)
})

test('sound goes to the window that has it, and is taken from that one alone', async (t) => {
  const d = await openDoor(t)
  const [a, b] = [await d.window(), await d.window()]
  await a.command('audio', { on: true })
  assert.equal((await b.next('browser', (m) => m.browser.sound === 'elsewhere')).browser.state, 'idle')
  d.page.windows.play(new Int16Array([1, -2]))
  await a.command('hangup')
  await b.command('hangup')
  assert.deepEqual([...a.sounds[0]!], [1, 0, 1, 0, 254, 255])
  assert.equal(b.sounds.length, 0)
  await b.command('audio', { on: true })
  assert.ok((await a.next('browser', (m) => m.browser.sound === 'elsewhere')).browser.sound === 'elsewhere')
})

test('sessions that the store kept are known to the next start, and only as hashes', async (t) => {
  let kept: readonly { cookie: string; token: string; until: number }[] = []
  const store = { read: () => kept, write: (s: typeof kept) => void (kept = s) }
  const first = await openDoor(t, store)
  const { cookie, token } = await first.session()
  assert.ok(!JSON.stringify(kept).includes(token) && !JSON.stringify(kept).includes(cookie.split('=')[1]!))
  await first.page.close()
  const second = await openDoor(t, store, first.port)
  assert.equal(second.port, first.port)
  assert.notEqual(second.key, first.key)
  const back = await second.socket({ headers: { cookie }, origin: second.origin, protocols: ['stc.page.1', `token.${token}`] })
  assert.notEqual(typeof back, 'number')
})

test('what a host does in a conference of the PBX reaches the call, by the number of the presence', async (t) => {
  const d = await openDoor(t)
  const w = await d.window()
  const inputs: unknown[] = []
  const call = { id: 3, conference: 3, name: '700', startedAt: 0, muted: false, sipCalls: [], roster: emptyRoster('700', 'bridged'), input: (i: unknown) => void inputs.push(i) } as unknown as RunningCall
  d.page.hub.observer.onEvent!(call, { kind: 'phase', at: 1 as never, phase: 'member' })
  for (const act of ['mute', 'unmute', 'kick']) assert.equal((await w.command('act', { call: 3, act, member: 5 })).fault, undefined)
  for (const locked of [true, false]) assert.equal((await w.command('lock', { call: 3, locked })).fault, undefined)
  assert.deepEqual(inputs, [
    ...['mute', 'unmute', 'kick'].map((act) => ({ kind: 'act', act, leaf: 5 })),
    ...['lock', 'unlock'].map((act) => ({ kind: 'command', command: { do: 'decide', decision: { act } } })),
  ])
  for (const bad of [{ call: 3, act: 'lock', member: 5 }, { call: 3, act: 'mute', member: -1 }, { call: 3, act: 'mute', member: 1.5 }, { call: 3, act: 'mute' }, { call: 3, member: 5 }, { call: 3, act: 'kick', member: 5, more: 1 }]) {
    assert.equal((await w.command('act', bad)).fault?.code, 'PAGE_COMMAND', JSON.stringify(bad))
  }
  assert.equal((await w.command('act', { call: 4, act: 'mute', member: 5 })).fault?.code, 'PAGE_NO_CALL')
  assert.equal(inputs.length, 5)
})

test('a call is accepted as it was shown, and as nothing else: what it has become since is asked anew', async (t) => {
  const d = await openDoor(t)
  const w = await d.window()
  const inputs: unknown[] = []
  const call = { id: 3, conference: 3, name: '555', startedAt: 0, muted: false, sipCalls: [], roster: { ...emptyRoster('555', 'sealed'), sealedCall: { number: '555', state: 'asking', words: [] } }, input: (i: unknown) => void inputs.push(i) }
  d.page.hub.observer.onEvent!(call as unknown as RunningCall, { kind: 'phase', at: 1 as never, phase: 'member' })
  const accept = async (state: unknown): Promise<string | undefined> => (await w.command('accept', { call: 3, state })).fault?.code
  for (const state of ['doubt', 'lost']) assert.equal(await accept(state), 'PAGE_CALL_CHANGED', state)
  for (const state of ['sealed', 'open', undefined]) assert.equal(await accept(state), 'PAGE_COMMAND', String(state))
  assert.deepEqual(inputs, [])
  assert.equal(await accept('asking'), undefined)
  // Somebody else's keys stand, while "Talk unprotected" is on its way.
  call.roster.sealedCall.state = 'doubt'
  assert.equal(await accept('asking'), 'PAGE_CALL_CHANGED')
  assert.deepEqual(inputs, [{ kind: 'accept' }])
  assert.equal((await w.command('accept', { call: 4, state: 'asking' })).fault?.code, 'PAGE_NO_CALL')
})

test('that the words were the same is said of those that were shown, and of no others', async (t) => {
  const d = await openDoor(t)
  const w = await d.window()
  const inputs: unknown[] = []
  const words = ['harbour', 'violin', 'meadow', 'copper']
  const sealedCall = { number: '555', state: 'sealed', words, memory: 'new' }
  const call = { id: 3, conference: 3, name: '555', startedAt: 0, muted: false, sipCalls: [], roster: { ...emptyRoster('555', 'sealed'), sealedCall }, input: (i: unknown) => void inputs.push(i) }
  d.page.hub.observer.onEvent!(call as unknown as RunningCall, { kind: 'phase', at: 1 as never, phase: 'member' })
  const say = async (said: unknown, id = 3): Promise<string | undefined> => (await w.command('same-words', { call: id, words: said })).fault?.code
  assert.equal(await say(words), undefined)
  assert.deepEqual(inputs, [{ kind: 'compared', words }])
  for (const wrong of ['harbour', [], [1], Array.from({ length: 9 }, () => 'x')]) assert.equal(await say(wrong), 'PAGE_COMMAND', String(wrong))
  assert.equal(await say(words, 4), 'PAGE_NO_CALL')
  // Other keys stand by then; or these are remembered by now.
  sealedCall.words = ['lantern', ...words.slice(1)]
  assert.equal(await say(words), 'PAGE_CALL_CHANGED')
  sealedCall.memory = 'remembered'
  assert.equal(await say(sealedCall.words), 'PAGE_CALL_CHANGED')
  const room = { ...call, id: 5, roster: emptyRoster('weekly', 'sealed') }
  d.page.hub.observer.onEvent!(room as unknown as RunningCall, { kind: 'phase', at: 1 as never, phase: 'member' })
  assert.equal(await say(words, 5), 'PAGE_CALL_CHANGED', 'a room')
  assert.equal(inputs.length, 1)
})

test('whoever types an emergency number on the page means help, whatever the page puts in front of it', async (t) => {
  const d = await openDoor(t)
  const w = await d.window()
  const dialled: string[] = []
  d.page.handset.subscribe((e) => e.kind === 'dial' && dialled.push(e.target))
  for (const typed of ['112', ' 1-1-2', '+112', '911']) assert.equal((await w.command('dial', { number: `8${typed}`, typed })).fault?.code, 'CLIENT_EMERGENCY', typed)
  assert.deepEqual(dialled, [])
  // As on a telephone, with a line; and a room.
  for (const number of ['112', '8100']) assert.equal((await w.command('dial', { number, typed: number })).fault, undefined)
  assert.deepEqual(dialled, ['112', '8100'])
})

test('the echo room has a number that every keypad has, and that is no room of the configuration', async (t) => {
  const { hub } = (await openDoor(t)).page
  assert.equal(hub.snapshot.echoDial, '83246')
  hub.configure({ roomPrefix: '*7', rooms: [{ name: '3246', dial: '*73246' }] })
  assert.equal(hub.snapshot.echoDial, '*732460')
  assert.match(hub.snapshot.echoRoom, /^echo-[0-9a-f]{16}$/)
})
