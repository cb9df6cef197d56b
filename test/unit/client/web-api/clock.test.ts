import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../../../src/base/ports.ts'
import { ServerClock } from '../../../../src/client/server-clock.ts'
import { Hub } from '../../../../src/client/web-api/hub.ts'
import { ClientWatch } from '../../../../src/client/watch.ts'
import { decodePage } from '../../../../src/model/page.ts'

test('the page and "stc doctor" see that the clock was set, right or wrong, while the connection stands', () => {
  let [wall, elapsedMs] = [1_790_003_600, 5000]
  const clock = { now: () => elapsedMs, unix: () => wall } as unknown as Clock
  const hub = new Hub({ clock, serverClock: new ServerClock(clock), version: '0', server: 's', roomPrefix: '8', emergencyNumbers: [], rooms: [], echoRoom: 'echo-1', random: () => '', phones: [] })
  const watch = new ClientWatch(clock, 's')
  const told: (number | undefined)[] = []
  hub.subscribe((m) => {
    const message = decodePage(m as string)
    if (message.k === 'server') told.push(message.server.clockAheadS)
  })
  const seen = (): readonly (number | undefined)[] => {
    hub.tick()
    return [told.at(-1), watch.snapshot.server.clockAheadS]
  }
  const pass = (s: number, set = 0): void => {
    elapsedMs += 1000 * s
    wall += s + set
  }
  assert.deepEqual(seen(), [undefined, undefined])
  // Our clock is an hour ahead.
  const welcome = { unixTime: 1_790_000_000, capabilities: [] } as never
  for (const o of [hub.observer, watch.observer]) o.onServer?.(true, { welcome })
  assert.deepEqual(seen(), [-3600, -3600])
  pass(60)
  assert.deepEqual(seen(), [-3600, -3600])
  // Set right by its user, and wrong again later.
  pass(1, -3600)
  assert.deepEqual(seen(), [0, 0])
  pass(86_400)
  assert.deepEqual(seen(), [0, 0])
  pass(1, -300)
  assert.deepEqual(seen(), [300, 300])
  // A second is rounding: nothing is told of it.
  const before = told.length
  pass(1, 1)
  seen()
  assert.equal(told.length, before)
})
