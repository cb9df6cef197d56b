/** No key seals two frames under one number, whatever happens to the call: every seal of both ends' vaults is looked at. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import { crypto } from '../kit/certificates.ts'
import { isNumbered, person, SealedCallWorld, type SideOptions } from '../kit/sealed-call-world.ts'

const [ann, ben] = [person('Ann'), person('Ben')]

/** Notes every key and nonce that seals. */
function watched(): { readonly port: CryptoPort; readonly uses: string[]; repeats(): string[] } {
  const uses: string[] = []
  const port = new Proxy(crypto, {
    get: (target, name) => name === 'aeadSeal'
      ? (...args: Parameters<CryptoPort['aeadSeal']>) => {
        uses.push(`${toHex(args[1])} ${toHex(args[2])}`)
        return target.aeadSeal(...args)
      }
      : Reflect.get(target, name) as unknown,
  })
  return {
    port, uses,
    repeats: () => {
      const seen = new Set<string>()
      return uses.filter((u) => seen.size === seen.add(u).size)
    },
  }
}
const side = (port: CryptoPort, more: SideOptions = {}): SideOptions => ({ crypto: port, carriers: ['message'], ...more })

test('control: a repeat would be seen', () => {
  const w = watched()
  for (let i = 0; i < 2; i++) w.port.aeadSeal('aes-256-gcm', new Uint8Array(32), new Uint8Array(12), new Uint8Array(0), new Uint8Array(1))
  assert.equal(w.repeats().length, 1)
})

test('hold, new descriptions, another codec and back, packets of other lengths, changes of keys', async () => {
  const c = watched()
  const w = new SealedCallWorld({ seed: 'nonces', a: side(c.port, { identity: ann, frames: 700 }), b: side(c.port, { identity: ben, frames: 700, packet: 480 }) })
  const describe = (codec: 'pcmu' | 'pcma', receives: boolean): void => {
    for (const s of [w.a, w.b]) s.input({ kind: 'dialog', news: { kind: 'media', codec, payloadType: 0, telephoneEvent: 101, receives } })
  }
  await w.call(2000)
  await w.talk(3000)
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: true } })
  describe('pcmu', false)
  w.speaking = false
  await w.talk(3000)
  w.speaking = true
  describe('pcmu', true)
  await w.talk(20_000)
  describe('pcma', true)
  w.a.input({ kind: 'dialog', news: { kind: 'reached' } })
  await w.talk(3000)
  describe('pcmu', true)
  w.a.input({ kind: 'dialog', news: { kind: 'reached' } })
  await w.talk(3000)
  assert.ok(c.uses.length > 1500, `${c.uses.length} seals`)
  assert.deepEqual(c.repeats(), [])
})

test('the end of the counter where no new keys can be agreed on: nothing more leaves', async () => {
  const c = watched()
  const w = new SealedCallWorld({ seed: 'wrap', a: side(c.port, { identity: ann, frames: 300 }), b: side(c.port, { identity: ben, frames: 300 }) })
  await w.call(1500)
  await w.assertSealed()
  // Nothing of the other side comes any more, so that nothing can be agreed on.
  w.between = () => []
  await w.talk(10_000)
  w.a.sent.length = 0
  await w.talk(1000)
  assert.equal(w.a.sent.length, 0)
  assert.deepEqual(c.repeats(), [])
})

test('both begin at once, forks, and the same two again after a restart: keys of their own each time', async () => {
  const c = watched()
  for (const again of [1, 2]) for (const fork of ['desk', 'home']) {
    const w = new SealedCallWorld({ seed: `${fork} ${again}`, a: side(c.port, { identity: ann, carriers: ['message', 'in-band'] }), b: side(c.port, { identity: ben, carriers: ['message', 'in-band'] }) })
    await w.call(100)
    w.b.input({ kind: 'dialog', news: { kind: 'reached' } })
    await w.talk(3000)
    await w.assertSealed()
  }
  assert.deepEqual(c.repeats(), [])
})

test('one\'s own frames sent back: refused, and they move no counter', async () => {
  const c = watched()
  const w = new SealedCallWorld({ seed: 'mirror', a: side(c.port, { identity: ann }), b: side(c.port, { identity: ben }) })
  await w.call(1500)
  await w.assertSealed()
  const mirrored: Uint8Array[] = []
  w.between = (p, from) => {
    if (from === w.a) {
      mirrored.push(p.payload)
      w.later(30, () => w.a.gets({ ...p, ssrc: 5 as never }))
    }
    return from === w.a ? [p] : []
  }
  await w.clock.advance(60)
  w.a.heard.length = 0
  await w.talk(1000)
  assert.ok(mirrored.length > 40)
  assert.ok(!w.a.heard.some(isNumbered), 'Ann heard herself')
  assert.deepEqual(c.repeats(), [])
})
