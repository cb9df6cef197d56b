/** What the page is told of people: who calls, who was missed, what is written down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { err, makeFault, ok, type Result } from '../../../../src/base/result.ts'
import type { RunningCall } from '../../../../src/client/calls.ts'
import type { IncomingRing, OutgoingRing } from '../../../../src/client/rings.ts'
import { People } from '../../../../src/client/web-api/people.ts'
import type { PageMessage } from '../../../../src/model/page.ts'
import { met, person, StagedMemory } from '../../../kit/staged-page.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

class Bench {
  readonly clock = new VirtualClock(5000)
  readonly told: PageMessage[] = []
  readonly ended: string[] = []
  readonly memory = new StagedMemory()
  readonly called: string[] = []
  readonly cancelled: (string | undefined)[] = []
  outcome: Result<{ readonly id: string }> = ok({ id: '1' })
  incoming: IncomingRing[] = []
  outgoing: OutgoingRing[] = []
  readonly people = new People({ clock: this.clock, tell: (m) => void this.told.push(m), unanswered: (room, reason) => void this.ended.push(`${room}: ${reason}`) })

  constructor() {
    const bench = this
    this.people.memory = this.memory
    this.people.client = { rings: {
      get incoming() {
        return bench.incoming
      },
      get outgoing() {
        return bench.outgoing
      },
      answer: (id: string) => {
        const ring = bench.incoming.find((r) => r.id === id)
        return ring === undefined ? err('RING_OVER') : ok(ring)
      },
      call: (to: string, room: string) => {
        bench.called.push(`${to} ${room}`)
        return Promise.resolve(bench.outcome)
      },
      cancel: (room?: string) => void bench.cancelled.push(room),
    } } as never
  }
  ring(i: number): IncomingRing {
    const ring = { id: String(i), room: `call-${i}`, identity: person(i), at: this.clock.now() }
    this.incoming = [...this.incoming, ring]
    this.people.onRing({ kind: 'incoming', ring })
    return ring
  }
  call(name: string, journal = true): RunningCall {
    return { name, roster: { policy: { base: { journal } } } } as never
  }
}
const past = (room: string) => ({ room, startedAt: 1, endedAt: 2, people: [] })

test('whoever calls is shown with what they are to us; missed calls are written down, answered and declined ones are not', async () => {
  const b = new Bench()
  b.memory.people = [met(1, { compared: true, comparedAt: 7 })]
  const [known, stranger] = [b.ring(1), b.ring(2)]
  assert.deepEqual(b.people.rings.map((r) => r.acquaintance), [{ kind: 'known', compared: true, comparedAt: 7 }, { kind: 'first-contact', compared: false }])
  b.people.onRing({ kind: 'over', ring: stranger, reason: 'declined' })
  assert.equal(b.memory.past.length, 0)
  await b.clock.advance(9000)
  b.people.onRing({ kind: 'over', ring: known, reason: 'unanswered' })
  assert.deepEqual(b.memory.past.map((p) => [p.direction, p.person?.to, p.endedAt - p.startedAt]), [['missed', person(1).keyId, 9000]])
  assert.equal(b.told.findLast((m) => m.k === 'past')?.past.length, 1)
})

test('it rings once we are in our room, once; and a call that nobody takes is ended with the reason', async () => {
  const b = new Bench()
  b.memory.people = [met(3)]
  assert.equal(b.people.begin(person(3).keyId.toUpperCase(), 'call-a').name, person(3).subject)
  b.people.joined(b.call('other'))
  assert.deepEqual(b.called, [])
  b.people.joined(b.call('call-a'))
  b.people.joined(b.call('call-a'))
  assert.deepEqual(b.called, [`${person(3).keyId} call-a`])
  const ring: OutgoingRing = { id: '1', room: 'call-a', to: person(3).keyId, state: 'ringing' }
  b.people.onRing({ kind: 'done', ring, reason: 'declined', fault: makeFault('RING_DECLINED') })
  assert.match(b.ended.join(), /^call-a: The call was declined/)
  // Somebody asked into a room that is not theirs alone: it goes on.
  b.people.onRing({ kind: 'done', ring: { ...ring, room: 'weekly' }, reason: 'declined', fault: makeFault('RING_DECLINED') })
  assert.equal(b.ended.length, 1)
  // And what could not even be sent.
  b.outcome = err('RING_NO_SERVER')
  b.people.begin('x@example.org', 'call-b')
  b.people.joined(b.call('call-b'))
  await b.clock.advance(1)
  assert.match(b.ended.at(-1)!, /^call-b: /)
})

test('a call that is over stops ringing and is kept under the person\'s name; not where its room wants no journal', () => {
  const b = new Bench()
  b.people.begin('carl@example.org', 'call-a')
  assert.deepEqual(b.people.over(b.call('call-a'), true, past('call-a')), { ...past('call-a'), person: { name: 'carl@example.org', to: 'carl@example.org' }, direction: 'out' })
  assert.deepEqual(b.cancelled, ['call-a'])
  b.ring(4)
  assert.ok(b.people.answer('4').ok)
  assert.equal(b.people.over(b.call('call-4'), true, past('call-4')).direction, 'in')
  b.people.over(b.call('secret', false), true, past('secret'))
  b.people.over(b.call('echo'), false, past('echo'))
  assert.deepEqual(b.memory.past.map((p) => p.room), ['call-4', 'call-a'])
  assert.deepEqual(b.people.past.map((p) => p.room).sort(), ['call-4', 'call-a', 'secret'])
  b.people.forget()
  assert.deepEqual([b.people.past, b.memory.past], [[], []])
})
