/** The border of the vault process: messages are found again in whatever comes, and arguments have exactly their shape. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deserialize } from 'node:v8'
import fc from 'fast-check'
import type { Fault, Result } from '../../../src/base/result.ts'
import { encodeCbor } from '../../../src/protocol/wire/cbor.ts'
import { FROM_VAULT, frame, numbered, TO_VAULT, Unframer, VAULT_LIMITS } from '../../../src/vault/api/border.ts'
import { CALL_NAMES, CALL_SHAPES } from '../../../src/vault/api/call-shapes.ts'
import { BAD, integer, list, octets, optional, record, text, u64 } from '../../../src/vault/api/shapes.ts'
import type { ToControl } from '../../../src/vault/api/worker-messages.ts'
import { handlers } from '../../../src/vault/inside/handlers/index.ts'
import { Border } from '../../../src/vault/inside/process/border.ts'

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((p) => [...p]))

test('messages come out of the stream as they went in, however it is cut', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(2, 3, 5), fc.uint8Array({ maxLength: 300 })), { maxLength: 8 }), fc.array(fc.nat(40), { maxLength: 60 }), (messages, cuts) => {
    const stream = joined(messages.map(([kind, body]) => frame(kind, body)))
    const got: [number, number[]][] = []
    const unframer = new Unframer(VAULT_LIMITS, (kind, body) => got.push([kind, [...body]]))
    let at = 0
    for (const n of [...cuts, stream.length]) {
      const piece = stream.slice(at, at + n)
      unframer.push(piece)
      // The reader's buffer is used again.
      piece.fill(0xee)
      at += n
    }
    assert.deepEqual(got, messages.map(([kind, body]) => [kind, [...body]]))
  }))
})

test('what is too long for its kind, of no kind or of no length is skipped, and the next message is found', () => {
  const got: number[] = []
  const unframer = new Unframer(VAULT_LIMITS, (kind) => got.push(kind))
  const long = frame(TO_VAULT.pipeEnd, new Uint8Array(5))
  for (const m of [long, frame(99, new Uint8Array(10)), new Uint8Array(4), frame(TO_VAULT.close, new Uint8Array(1)), frame(TO_VAULT.close)]) unframer.push(m)
  assert.deepEqual(got, [TO_VAULT.close])
  assert.equal(unframer.skipped, 4)
})

test('a large message in single octets arrives whole', () => {
  const body = Uint8Array.from({ length: 3000 }, (_, i) => i)
  const got: Uint8Array[] = []
  const unframer = new Unframer(VAULT_LIMITS, (_, b) => got.push(b.slice()))
  for (const octet of frame(TO_VAULT.frames, body)) unframer.push(Uint8Array.of(octet))
  assert.deepEqual(got, [body])
})

test('shapes take what they name and nothing else', () => {
  const shape = record<{ a: number; b?: string; c: Uint8Array[] }>({ a: integer(1, 5), b: optional(text(3)), c: list(octets(2), 2) })
  assert.deepEqual(shape({ a: 5, c: [Uint8Array.of(1)] }), { a: 5, c: [Uint8Array.of(1)] })
  assert.deepEqual(shape({ a: 1, b: 'abc', c: [] }), { a: 1, b: 'abc', c: [] })
  for (const wrong of [{ a: 6, c: [] }, { a: 0, c: [] }, { a: 1n, c: [] }, { a: 1, b: 'abcd', c: [] }, { a: 1, c: [new Uint8Array(3)] }, { a: 1, c: [[], [], []] }, { a: 1 }, { a: 1, c: [], d: 1 }, [], null, 'a', 1, undefined]) {
    assert.equal(shape(wrong as never), BAD, JSON.stringify(wrong, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)))
  }
})

test('an epoch is one type, whether small or large', () => {
  assert.deepEqual([u64(7), u64(2n ** 63n), u64(-1), u64(2n ** 64n), u64('7')], [7n, 2n ** 63n, BAD, BAD, BAD])
})

test('every call of the vault has its shape', () => {
  assert.deepEqual([...CALL_NAMES].sort(), Object.keys(handlers).sort())
  for (const name of CALL_NAMES) assert.equal(CALL_SHAPES[name](undefined), BAD, name)
})

class Bench {
  readonly sent: { kind: number; id: number; body: unknown }[] = []
  readonly control: ToControl[] = []
  readonly readied: (string | undefined)[] = []
  readonly sealed: string[] = []
  opened = 0
  closed = 0
  readonly border: Border
  constructor() {
    const unframer = new Unframer(Object.fromEntries(Object.values(FROM_VAULT).map((k) => [k, 1 << 20])), (kind, body) => {
      if (kind === FROM_VAULT.ready) return void this.readied.push((deserialize(body) as Fault | undefined)?.code)
      if (kind === FROM_VAULT.sealed) {
        const r = deserialize(body) as Result<string>
        return void this.sealed.push(r.ok ? r.value : r.fault.code)
      }
      const id = new DataView(body.buffer, body.byteOffset).getUint32(0)
      this.sent.push({ kind, id, body: kind === FROM_VAULT.answer ? deserialize(body.slice(4)) : [...body.subarray(4)] })
    })
    this.border = new Border({ seal: () => ({ ok: true, value: 'sealed' }), open: () => this.opened++, control: (m) => this.control.push(m), frames: (p) => p, send: (o) => unframer.push(o), close: () => this.closed++ })
  }
  code(id: number): string | undefined {
    const r = this.sent.find((s) => s.kind === FROM_VAULT.answer && s.id === id)?.body as Result<unknown> | undefined
    return r === undefined || r.ok ? undefined : r.fault.code
  }
}
const call = (id: number, name: string, input: unknown): Uint8Array => numbered(TO_VAULT.call, id, Uint8Array.of(CALL_NAMES.indexOf(name as never)), encodeCbor(input))

test('calls pass when the vault is open, with the shape they have', () => {
  const b = new Bench()
  b.border.push(call(1, 'room.confirm', { session: 1 }))
  assert.equal(b.code(1), 'VAULT_CALL')
  b.border.ready(undefined)
  b.border.push(call(2, 'room.confirm', { session: 1 }))
  assert.deepEqual(b.control, [{ op: 'call', id: 2, name: 'room.confirm', input: { session: 1 } }])
  for (const [id, input] of [[3, { session: -1 }], [4, {}], [5, { session: 1, more: 1 }], [6, 'session']] as const) {
    b.border.push(call(id, 'room.confirm', input))
    assert.equal(b.code(id), 'VAULT_CALL')
  }
  b.border.push(numbered(TO_VAULT.call, 7, Uint8Array.of(200), encodeCbor({})))
  b.border.push(numbered(TO_VAULT.call, 8))
  b.border.push(numbered(TO_VAULT.call, 9, Uint8Array.of(0, 0xff)))
  assert.deepEqual([b.code(7), b.code(8), b.code(9)], ['VAULT_CALL', 'VAULT_CALL', 'VAULT_CALL'])
  assert.equal(b.control.length, 1)
})

test('what cannot be opened is answered: the host does not wait for ever', () => {
  const b = new Bench()
  b.border.push(frame(TO_VAULT.open, encodeCbor({ nothing: 'that is asked for' })))
  assert.deepEqual([b.readied, b.opened], [['VAULT_CALL'], 0])
  const sealing = (octets: number): Uint8Array => frame(TO_VAULT.seal, encodeCbor({ keyText: new Uint8Array(octets), keyFile: 'ann.key', generation: 1 }))
  const options = { chain: [], anchors: [], realm: 'r', pkcs8: new Uint8Array(1) }
  for (const m of [sealing(16 * 1024), sealing(16 * 1024 + 1), frame(TO_VAULT.seal, Uint8Array.of(0xff)), frame(TO_VAULT.open, encodeCbor(options)), sealing(1)]) b.border.push(m)
  assert.deepEqual([b.sealed, b.opened], [['sealed', 'VAULT_CALL', 'VAULT_CALL', 'VAULT_CALL'], 1])
})

test('more calls than may wait are refused, until one is answered', () => {
  const b = new Bench()
  b.border.ready(undefined)
  for (let i = 0; i < 1025; i++) b.border.push(call(i, 'room.confirm', { session: 1 }))
  assert.equal(b.control.length, 1024)
  assert.equal(b.code(1024), 'VAULT_BUSY')
  b.border.tell({ op: 'answer', id: 0, result: { ok: true, value: {} } })
  b.border.push(call(2000, 'room.confirm', { session: 1 }))
  assert.equal(b.control.length, 1025)
})
