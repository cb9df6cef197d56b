import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimNet } from '../../kit/sim-net.ts'
import { SimPipe } from '../../kit/sim-pipe.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

async function pair(seed = 7, nat?: string) {
  const clock = new VirtualClock()
  const net = new SimNet(clock, seed)
  const alice = net.host('alice', '10.0.0.1', nat)
  const bob = net.host('bob', '10.0.0.2')
  const a = await alice.bind({ address: '0.0.0.0', port: 0 })
  const b = await bob.bind({ address: '10.0.0.2', port: 7443 })
  const got: { n: number; at: number; from: string }[] = []
  b.onMessage((data, from) => got.push({ n: data[0]! * 256 + data[1]!, at: clock.now(), from: `${from.address}:${from.port}` }))
  const burst = async (count: number, everyMs = 20): Promise<void> => {
    for (let i = 0; i < count; i++) {
      a.send(Uint8Array.of(i >> 8, i), b.local)
      await clock.advance(everyMs)
    }
  }
  return { clock, net, alice, bob, a, b, got, burst }
}

test('a perfect link delivers all, in order, after the latency', async () => {
  const { got, burst } = await pair()
  await burst(50)
  assert.deepEqual(got.map((g) => g.n), Array.from({ length: 50 }, (_, i) => i))
  assert.equal(got[0]!.at, 2)
})

test('loss, bursts, duplicates and reordering happen at about the asked rate, the same for the same seed', async () => {
  const once = async (seed: number): Promise<number[]> => {
    const { alice, got, burst, clock } = await pair(seed)
    alice.up.set({ loss: 0.1, duplicate: 0.1, reorder: 0.1, reorderMs: 50, burst: 0.01 })
    await burst(1000)
    await clock.advance(200)
    return got.map((g) => g.n)
  }
  const first = await once(3)
  assert.deepEqual(await once(3), first)
  assert.notDeepEqual(await once(4), first)
  const distinct = new Set(first)
  assert.ok(distinct.size > 750 && distinct.size < 920, `${distinct.size} of 1000 came`)
  assert.ok(first.length - distinct.size > 40, 'duplicates')
  assert.ok(first.filter((n, i) => i > 0 && n < first[i - 1]!).length > 40, 'reordered')
})

test('jitter keeps the order', async () => {
  const { alice, got, burst, clock } = await pair()
  alice.up.set({ jitterMs: 200 })
  await burst(200)
  await clock.advance(300)
  assert.deepEqual(got.map((g) => g.n), Array.from({ length: 200 }, (_, i) => i))
})

test('a NAT hides the address, lets answers in, and forgets', async () => {
  const { clock, alice, a, b, got, burst } = await pair(1, '203.0.113.9')
  const answers: number[] = []
  a.onMessage((data) => answers.push(data[0]!))
  await burst(1)
  assert.equal(got[0]!.from, '203.0.113.9:20000')
  b.send(Uint8Array.of(1), { address: '203.0.113.9', port: 20000 })
  await clock.advance(10)
  assert.deepEqual(answers, [1])
  alice.rebind()
  b.send(Uint8Array.of(2), { address: '203.0.113.9', port: 20000 })
  await burst(1)
  assert.deepEqual(answers, [1])
  assert.equal(got[1]!.from, '203.0.113.9:20001')
})

test('moving, outage and partition', async () => {
  const { net, alice, bob, got, burst } = await pair()
  alice.move('10.0.0.77')
  await burst(1)
  assert.equal(got[0]!.from.split(':')[0], '10.0.0.77')
  alice.set({ down: true })
  await burst(1)
  alice.set({ down: false })
  net.partition(alice, bob)
  await burst(1)
  net.partition(alice, bob, false)
  await burst(1)
  assert.equal(got.length, 2)
})

test('a pipe keeps order through loss and outage, and tells both ends of a cut', async () => {
  const { clock, alice, bob } = await pair()
  const pipe = new SimPipe(alice, bob)
  const got: number[] = []
  const closed: string[] = []
  pipe.b.onMessage((data) => got.push(data[0]!))
  pipe.a.onClose(() => closed.push('a'))
  pipe.b.onClose(() => closed.push('b'))
  alice.up.set({ loss: 0.3 })
  for (let i = 0; i < 40; i++) pipe.a.send(Uint8Array.of(i))
  await clock.advance(20_000)
  assert.deepEqual(got, Array.from({ length: 40 }, (_, i) => i))
  alice.set({ down: true, loss: 0 })
  pipe.a.send(Uint8Array.of(99))
  await clock.advance(3000)
  assert.equal(got.length, 40)
  alice.set({ down: false })
  await clock.advance(300)
  assert.equal(got.at(-1), 99)
  pipe.cut(5)
  await clock.advance(10)
  assert.deepEqual(closed.sort(), ['a', 'b'])
})
