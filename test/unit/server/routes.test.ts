/** What the media plane is told of a room, whatever its size. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LegId, PlaneHandle } from '../../../src/media/plane/types.ts'
import type { Stream } from '../../../src/protocol/room/index.ts'
import { Routes } from '../../../src/server/routes.ts'

test('a join to a room of a thousand tells the plane of a thousand streams and members, not of a million pairs', () => {
  let told = 0
  const cut: number[] = []
  const plane = {
    routeRoom: (streams: unknown[], members: unknown[]) => void (told += streams.length + members.length),
    unroute: (_: LegId, ssrc: number) => void cut.push(ssrc),
  } as unknown as PlaneHandle
  const routes = new Routes(plane, (session) => Number(session) as LegId)
  const streams = Array.from({ length: 1000 }, (_, i) => ({ session: String(i + 1), ssrc: 5000 + i }) as Stream)
  routes.set('large', streams, 'loudest')
  assert.equal(told, 2000)
  told = 0
  routes.set('large', streams.slice(1), 'loudest')
  assert.equal(told, 1998)
  assert.deepEqual(cut, [5000])
  // Who has no leg yet is told of when there is one.
  const late = new Map<string, LegId>()
  const waiting = new Routes(plane, (session) => late.get(session))
  told = 0
  waiting.set('small', streams.slice(0, 2))
  assert.equal(told, 0)
  late.set('1', 1 as LegId)
  waiting.refresh('1')
  assert.equal(told, 2)
})
