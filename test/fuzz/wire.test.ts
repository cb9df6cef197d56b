/** Hostile octets at the channel's door: a fault or a message within the limits, never an exception. */
import assert from 'node:assert/strict'
import { encodeCbor } from '../../src/protocol/wire/cbor.ts'
import { decodeClientMessage, decodeServerMessage } from '../../src/protocol/wire/codec.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'
import { clientExamples, serverExamples } from '../unit/protocol/wire/messages.ts'

const BUDGET_MS = 700
/** As many runs as all outcomes need, however slow the machine. */
const LEAST = 3000

seededTest('mutated messages of every kind', (seed) => {
  const n = new SeededNumbers(seed)
  // Long byte strings hide the structure from the mutations.
  const shrink = (v: unknown): unknown =>
    v instanceof Uint8Array ? v.subarray(0, 4) : Array.isArray(v) ? v.map(shrink) : typeof v === 'object' && v !== null ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, shrink(x)])) : v
  const corpus = [...clientExamples, ...serverExamples].map((m) => encodeCbor(shrink(m)))
  const codes = new Map<string, number>()
  let accepted = 0
  const until = performance.now() + BUDGET_MS
  for (let i = 0; i < LEAST || performance.now() < until; i++) {
    const bytes = mutate(n.pick(corpus), corpus, n)
    for (const decode of [decodeClientMessage, decodeServerMessage]) {
      const r = decode(bytes)
      if (r.ok) accepted++
      else codes.set(r.fault.code, (codes.get(r.fault.code) ?? 0) + 1)
    }
  }
  assert.deepEqual([...codes.keys()].sort(), ['CHANNEL_BAD_CBOR', 'CHANNEL_BAD_MESSAGE', 'CHANNEL_UNKNOWN_KIND'])
  assert.ok(accepted > 0)
})

function mutate(from: Uint8Array, corpus: readonly Uint8Array[], n: SeededNumbers): Uint8Array {
  const out = [...from]
  for (let i = 0; i <= n.int(4); i++) {
    const at = n.int(out.length + 1)
    switch (n.int(5)) {
      case 0: out[at] = n.int(256); break
      case 1: out.splice(at, 1 + n.int(4)); break
      case 2: out.splice(at, 0, n.pick([0x1b, 0x3b, 0x5b, 0x7b, 0x9b, 0xbb, 0xff, 0xf6, 0x81, 0xa1]), n.int(256)); break
      case 3: out[at] = (out[at] ?? 0) ^ (1 << n.int(8)); break
      default: out.splice(at, out.length, ...n.pick(corpus).subarray(n.int(20)))
    }
  }
  return Uint8Array.from(out)
}
