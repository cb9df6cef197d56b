import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { type Whereabout, Whereabouts } from '../../../../src/media/plane/whereabouts.ts'

const address = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('fe80:1111:2222:3333:4444:5555:6666:7777%4294967295')), port: fc.nat(65_535) }, { noNullPrototype: true })
const whereabout = fc.record<Whereabout>({ address: fc.option(address, { nil: undefined }), active: fc.constantFrom('none', 'udp', 'path') }, { noNullPrototype: true })

test('what is written is read, at each place its own', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(2), whereabout), { maxLength: 20 }), (writes) => {
    const memory = Whereabouts.memory(3)
    const [mine, theirs] = [new Whereabouts(memory), new Whereabouts(memory)]
    const last: (Whereabout | undefined)[] = [undefined, undefined, undefined]
    for (const [place, w] of writes) {
      const before = theirs.at(place, 7)!.version
      mine.at(place, 7)!.write(w)
      assert.notEqual(theirs.at(place, 7)!.version, before)
      last[place] = w
      for (let p = 0; p < 3; p++) assert.deepEqual(theirs.at(p, 7)!.read(), last[p])
    }
  }))
})

test('another client at the same place sees nothing of the one before, and there is no place beyond the last', () => {
  const where = new Whereabouts(Whereabouts.memory(2))
  where.at(1, 0xffff_fff0)!.write({ address: { address: '192.0.2.1', port: 5 }, active: 'udp' })
  assert.deepEqual(where.at(1, 0xffff_fff0)!.read()?.active, 'udp')
  assert.equal(where.at(1, 8)!.read(), undefined)
  assert.equal(where.at(0, 0)!.read(), undefined)
  assert.equal(where.at(2, 8), undefined)
})

test('a reader in another thread never sees half of a change', async () => {
  const memory = Whereabouts.memory(1)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const module = JSON.stringify(new URL('../../../../src/media/plane/whereabouts.ts', import.meta.url).href)
  const writer = new Worker(`
    const { parentPort, workerData: { memory, stop } } = require('node:worker_threads')
    import(${module}).then(({ Whereabouts }) => {
      const place = new Whereabouts(memory).at(0, 7)
      let told = false
      for (let n = 0; Atomics.load(stop, 0) === 0; n = (n + 1) % 10) {
        place.write({ address: { address: String(n).repeat(1 + n * 4), port: n }, active: n % 2 === 0 ? 'udp' : 'path' })
        if (n === 9 && !told) parentPort.postMessage(told = true)
      }
    })`, { eval: true, workerData: { memory, stop } })
  const place = new Whereabouts(memory).at(0, 7)!
  await new Promise((resolve) => writer.once('message', resolve))
  let seen = 0
  let whole = 0
  for (let tries = 0; tries < 30_000; tries++) {
    const w = place.read()
    if (w === undefined) continue
    seen++
    const n = w.address!.port
    if (w.address!.address === String(n).repeat(1 + n * 4) && w.active === (n % 2 === 0 ? 'udp' : 'path')) whole++
  }
  Atomics.store(stop, 0, 1)
  await new Promise((resolve) => writer.once('exit', resolve))
  assert.ok(seen > 100)
  assert.equal(whole, seen)
})
