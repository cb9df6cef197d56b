import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EAGAIN, EINVAL, EIO, ENOBUFS, IOVEC, MMSGHDR } from '../../../../src/net/native/layout.ts'
import { SendQueue, SLOT_OCTETS } from '../../../../src/net/native/send-queue.ts'
import type { Sockaddr } from '../../../../src/net/native/sockaddr.ts'
import { type System, systemCalls } from '../../../../src/net/native/system.ts'

const real = systemCalls()
const skip = real.ok ? false : real.fault.message
const to = (n: number): Sockaddr => ({ words: new Uint32Array(7).fill(n), octets: 16, group: -1, round: -1 })

interface Sent {
  readonly fd: number
  readonly to: number
  readonly numbers: number[]
  readonly segment: number
}

/** A system that takes what the script lets it take: a count, or a negated error number. Then everything. */
function scripted(script: number[], sent: Sent[]): { system: System; queue(slots: number, segment: boolean): SendQueue } {
  assert.ok(real.ok)
  let errno = 0
  const at = new Map<number, DataView>()
  // Memory belongs to its reader here: addresses are found by the blocks that the queue asked for.
  const library = {
    ...real.value.library,
    addressOf(bytes: Uint8Array) {
      const base = real.value.library.addressOf(bytes)
      at.set(base, new DataView(bytes.buffer))
      return base
    },
    errno: () => errno,
  }
  const read = (address: number, length: number): DataView => {
    for (const [base, view] of at) if (address >= base && address + length <= base + view.byteLength) return new DataView(view.buffer, address - base, length)
    throw new Error('a call with memory that nobody owns')
  }
  const pointer = (v: DataView, o: number): number => Number(v.getBigUint64(o, true))
  const message = (fd: number, address: number): Sent => {
    const m = read(address, MMSGHDR.octets)
    const count = m.getUint32(MMSGHDR.iovLength, true)
    const numbers: number[] = []
    for (let i = 0; i < count; i++) {
      const iov = read(pointer(m, MMSGHDR.iov) + i * IOVEC.octets, IOVEC.octets)
      numbers.push(read(pointer(iov, 0), iov.getUint32(IOVEC.length, true)).getUint16(0))
    }
    const control = pointer(m, MMSGHDR.control)
    return { fd, to: read(pointer(m, MMSGHDR.name), 16).getUint32(4, true), numbers, segment: control === 0 ? 0 : read(control, 24).getUint16(16, true) }
  }
  const system: System = {
    ...real.value, library,
    sendmmsg(fd, messages, count) {
      const may = script.shift() ?? count
      if (may < 0) {
        errno = -may
        return -1
      }
      const n = Math.min(may, count)
      for (let i = 0; i < n; i++) sent.push(message(fd, messages + i * MMSGHDR.octets))
      return n
    },
  }
  return { system, queue: (slots, segment) => new SendQueue(system, { slots, segment }) }
}

function put(queue: SendQueue, number: number, fd: number, name: Sockaddr, length = 200): void {
  const slot = queue.slot()
  slot[0] = number >> 8
  slot[1] = number
  queue.commit(fd, length, name)
}

test('whatever the system takes and when, nothing is reordered for a receiver, doubled, or sent by another socket', { skip }, () => {
  fc.assert(fc.property(
    fc.array(fc.record({ fd: fc.integer({ min: 3, max: 4 }), to: fc.nat(3), length: fc.constantFrom(100, 200), flush: fc.boolean() }), { maxLength: 60 }),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(-EAGAIN, -ENOBUFS)), { maxLength: 40 }), fc.boolean(),
    (packets, script, segment) => {
      const sent: Sent[] = []
      const queue = scripted(script, sent).queue(16, segment)
      const names = [to(0), to(1), to(2), to(3)]
      const put_: { fd: number; to: number; number: number; length: number }[] = []
      packets.forEach((p, number) => {
        const before = queue.dropped
        put(queue, number, p.fd, names[p.to]!, p.length)
        if (queue.dropped === before) put_.push({ ...p, number })
        if (p.flush) queue.flush()
      })
      while (!queue.flush());
      assert.equal(queue.waiting, 0)
      assert.equal(put_.length + queue.dropped, packets.length)
      for (const fd of [3, 4]) for (const t of [0, 1, 2, 3]) {
        assert.deepEqual(sent.filter((s) => s.fd === fd && s.to === t).flatMap((s) => s.numbers), put_.filter((p) => p.fd === fd && p.to === t).map((p) => p.number))
      }
      for (const s of sent) if (s.numbers.length > 1) assert.ok(segment && s.numbers.every((n) => packets[n]!.length === s.segment))
    }), { numRuns: 300 })
})

test('every datagram is sent, or counted as dropped or refused, whatever the system says and whoever closes meanwhile', { skip }, () => {
  fc.assert(fc.property(
    fc.array(fc.record({ fd: fc.integer({ min: 3, max: 4 }), to: fc.nat(2), next: fc.constantFrom('', '', 'flush', 'close') }), { maxLength: 60 }),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(-EAGAIN, -EINVAL, -EIO)), { maxLength: 40 }), fc.boolean(),
    (packets, script, segment) => {
      const sent: Sent[] = []
      const queue = scripted(script, sent).queue(16, segment)
      const names = [to(0), to(1), to(2)]
      packets.forEach((p, number) => {
        put(queue, number, p.fd, names[p.to]!)
        if (p.next === 'flush') queue.flush()
        if (p.next === 'close') queue.forget(p.fd)
      })
      while (!queue.flush());
      assert.equal(sent.reduce((n, s) => n + s.numbers.length, 0) + queue.dropped + queue.refused, packets.length)
    }), { numRuns: 500 })
})

test('a queue that has been emptied begins anew in the same room', { skip }, () => {
  const sent: Sent[] = []
  const queue = scripted([2, -EAGAIN], sent).queue(4, false)
  const room = queue.slot()
  for (let i = 0; i < 3; i++) put(queue, i, 3, to(1))
  assert.equal(queue.flush(), false)
  assert.notEqual(queue.slot(), room)
  assert.equal(queue.flush(), true)
  assert.equal(queue.slot(), room)
  assert.deepEqual(sent.flatMap((s) => s.numbers), [0, 1, 2])
})

test('a full queue drops the newest and says so', { skip }, () => {
  const sent: Sent[] = []
  const queue = scripted([-EAGAIN, -EAGAIN], sent).queue(4, false)
  for (let i = 0; i < 6; i++) put(queue, i, 3, to(1))
  assert.equal(queue.dropped, 2)
  assert.equal(queue.flush(), true)
  assert.deepEqual(sent.flatMap((s) => s.numbers), [0, 1, 2, 3])
})

test('what can never be sent is counted and does not hold up the rest', { skip }, () => {
  for (const segment of [false, true]) {
    const sent: Sent[] = []
    const queue = scripted([1, -EINVAL], sent).queue(8, segment)
    for (let i = 0; i < 4; i++) put(queue, i, 3, to(i))
    assert.equal(queue.flush(), true)
    assert.deepEqual(sent.flatMap((s) => s.numbers), [0, 2, 3])
    assert.equal(queue.refused, 1)
    assert.equal(queue.segmenting, segment, 'one bad address does not end segmenting')
  }
})

test('a system that cannot segment gets the datagrams one by one', { skip }, () => {
  for (const error of [EIO, EINVAL]) {
    const sent: Sent[] = []
    const queue = scripted([-error], sent).queue(8, true)
    for (let i = 0; i < 4; i++) put(queue, i, 3, to(i % 2))
    // Same receivers, so that there is something to segment.
    const name = to(9)
    for (let i = 4; i < 6; i++) put(queue, i, 3, name)
    assert.equal(queue.flush(), true)
    assert.equal(queue.segmenting, error === EINVAL, 'EINVAL of a single datagram proves nothing')
    assert.deepEqual(sent.flatMap((s) => s.numbers), error === EIO ? [0, 1, 2, 3, 4, 5] : [1, 2, 3, 4, 5])
  }
})

test('the datagrams of a closed socket go nowhere', { skip }, () => {
  const sent: Sent[] = []
  const queue = scripted([-EAGAIN], sent).queue(8, true)
  for (const fd of [3, 4, 3]) put(queue, fd, fd, to(1))
  queue.flush()
  queue.forget(3)
  assert.equal(queue.flush(), true)
  assert.deepEqual(sent.map((s) => s.fd), [4])
  assert.equal(queue.dropped, 2)
})

test('lengths beyond a slot are our own bug', { skip }, () => {
  const queue = scripted([], []).queue(4, false)
  for (const wrong of [-1, SLOT_OCTETS + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => queue.commit(3, wrong, to(1)), RangeError)
  assert.equal(queue.waiting, 0)
})
