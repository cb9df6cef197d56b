/** The journal's records: a crash at any octet loses nothing that was confirmed; what is changed, cut or moved is found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unixTime } from '../../../../src/base/brand.ts'
import { concat, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { frameRecord, MAGIC, readJournal, SALT, sealEntry, sealHead, sectionKey, signCheckpoint, type Tip } from '../../../../src/protocol/journal/index.ts'
import { START } from '../../../../src/protocol/journal/record.ts'
import { People } from '../../../kit/people.ts'

const crypto = createNodeCrypto()
const people = new People(unixTime(1_795_262_400), crypto)
const { signer } = people.person('Ann')
const KEY = new Uint8Array(32).fill(7)

/** A journal as it grows: its octets and head after every record. */
function write(entries: readonly string[]): { bytes: Uint8Array; head: Uint8Array }[] {
  const salt = crypto.bytes(SALT)
  const key = sectionKey(crypto, KEY, salt)
  let tip: Tip = START
  let bytes: Uint8Array = MAGIC
  const states: { bytes: Uint8Array; head: Uint8Array }[] = []
  const put = (kind: 'opening' | 'entry' | 'checkpoint', payload: Uint8Array): void => {
    const made = frameRecord(crypto, kind, tip, payload)
    bytes = concat(bytes, made.bytes)
    tip = made.next
    states.push({ bytes, head: sealHead(crypto, KEY, tip) })
  }
  put('opening', salt)
  for (const e of entries) put('entry', sealEntry(crypto, key, tip, utf8(e)))
  put('checkpoint', signCheckpoint(crypto, tip, 'test.example', unixTime(1_795_262_400), signer))
  return states
}

const read = (bytes: Uint8Array, head: Uint8Array | undefined) => readJournal(crypto, KEY, bytes, head)
const codeOf = (r: ReturnType<typeof read>): string => (r.ok ? 'good' : r.fault.code)
const texts = (r: ReturnType<typeof read>): string[] => must(r).entries.map((e) => Buffer.from(e.bytes).toString())

test('what was written is read, and a checkpoint says who vouches for it', () => {
  const { bytes, head } = write(['one', 'two', 'three']).at(-1)!
  const r = read(bytes, head)
  assert.deepEqual(texts(r), ['one', 'two', 'three'])
  assert.equal(must(r).checkpoints.length, 1)
  assert.ok(!Buffer.from(bytes).includes('two'), 'nothing in the clear')
  assert.equal(codeOf(readJournal(crypto, new Uint8Array(32).fill(8), bytes, undefined)), 'JOURNAL_CHANGED')
})

test('the machine stops at any octet: every confirmed entry is there, the torn one is known as such', () => {
  const states = write(['one', 'two', 'three'])
  for (let i = 1; i < states.length; i++) {
    const [before, after] = [states[i - 1]!, states[i]!]
    // The record is written first, the head after: only then the entry is confirmed.
    for (let n = before.bytes.length; n <= after.bytes.length; n++) {
      const r = read(after.bytes.slice(0, n), before.head)
      const whole = n === after.bytes.length
      assert.equal(must(r).whole, whole ? n : before.bytes.length)
      assert.deepEqual(texts(r).slice(0, texts(read(before.bytes, before.head)).length), texts(read(before.bytes, before.head)))
    }
  }
})

test('cut off anywhere before what the head knows: found', () => {
  const { bytes, head } = write(['one', 'two', 'three']).at(-1)!
  for (let n = 0; n < bytes.length; n++) assert.notEqual(codeOf(read(bytes.slice(0, n), head)), 'good', `${n} octets`)
})

test('any octet changed, records exchanged or left out: found', () => {
  const states = write(['one', 'two', 'three'])
  const { bytes, head } = states.at(-1)!
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice()
    changed[i]! ^= 1
    assert.notEqual(codeOf(read(changed, head)), 'good', `octet ${i}`)
  }
  const part = (n: number): Uint8Array => bytes.slice(states[n - 1]!.bytes.length, states[n]!.bytes.length)
  const [opening, one, two, three] = [states[0]!.bytes, part(1), part(2), part(3)]
  for (const wrong of [concat(opening, two, one, three), concat(opening, one, three), concat(opening, one, one, two, three), concat(one, two, three)]) assert.equal(codeOf(read(wrong, undefined)), 'JOURNAL_CHANGED')
})

test('what is before a checkpoint can be deleted: the rest still verifies', () => {
  const states = write(['one', 'two'])
  const { bytes, head } = states.at(-1)!
  const kept = concat(MAGIC, bytes.slice(states.at(-2)!.bytes.length))
  assert.deepEqual(texts(read(kept, head)), [])
  assert.equal(must(read(kept, head)).checkpoints.length, 1)
})
