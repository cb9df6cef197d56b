/** Whoever can write to the data folder: the journal cut, changed, put in another order, put back, begun in the middle, written under a foreign key. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { concat } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { frameRecord, readJournal, journalKeyFor, signCheckpoint } from '../../src/protocol/journal/index.ts'
import { journalParts } from '../../src/store/journal-files.ts'
import { JOURNAL_SHAPES } from '../../src/vault/api/journal-shapes.ts'
import { BAD } from '../../src/vault/api/shapes.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { privatePart } from '../../src/vault/inside/journal/secret.ts'
import { JournalStage, ofWhat, textsOf } from '../kit/journal.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { REALM } from '../kit/people.ts'

const DAY_MS = 86_400_000
const MAGIC = 14

/** Three days, each a part of two words. */
async function threeDays(stage: JournalStage): Promise<string[]> {
  for (const day of ['monday', 'tuesday', 'wednesday']) {
    await stage.run([`${day} morning`, `${day} evening`])
    stage.nowMs += DAY_MS
  }
  return must(journalParts(stage.journal)).map((p) => p.file)
}

const verified = async (stage: JournalStage): Promise<string> => codeOf((await stage.read()).result)

test('the journal is read after its certificate has ended, by a vault that does nothing else', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['before the end'])
  await stage.clock.advance(40 * 86_400_000)
  const options = () => ({ chain: stage.ann.chain, pkcs8: stage.ann.pkcs8.slice(), anchors: [stage.people.ca.certificate], realm: REALM })
  const ended = createVault(stage, options())
  assert.equal(ended.ok ? 'opened' : ended.fault.code, 'IDENTITY_EXPIRED')
  const reading = must(createVault(stage, { ...options(), journalOnly: true }))
  const { result, entries } = await stage.read(reading)
  must(result)
  assert.deepEqual(textsOf(entries), ['before the end'])
  for (const refused of [await reading.call('room.request', { room: 'r' as RoomName, suite: 'x25519' }), await reading.call('journal.open', { parts: [] }), await reading.pipe({ serverName: 'sip.test.example', protocols: [] }).secured]) {
    assert.equal(refused.ok ? 'done' : refused.fault.code, 'VAULT_CALL')
  }
})

test('control: as it was written it verifies', async (t) => {
  const stage = new JournalStage(t)
  await threeDays(stage)
  assert.equal(await verified(stage), 'accepted')
  assert.equal((await stage.texts()).length, 6)
})

test('the end cut off: at every record, at every part, with and without the head', async (t) => {
  const stage = new JournalStage(t)
  const files = await threeDays(stage)
  const last = readFileSync(files[2]!)
  for (let n = 0; n < last.length; n += 7) {
    writeFileSync(files[2]!, last.subarray(0, n))
    assert.notEqual(await verified(stage), 'accepted', `${n} octets`)
  }
  rmSync(files[2]!)
  assert.equal(await verified(stage), 'JOURNAL_TRUNCATED')
  rmSync(path.join(stage.journal, 'head'))
  assert.equal(await verified(stage), 'JOURNAL_TRUNCATED')
  for (const f of files.slice(0, 2)) rmSync(f)
  writeFileSync(path.join(stage.journal, 'head'), new Uint8Array(72))
  assert.equal(await verified(stage), 'JOURNAL_TRUNCATED')
})

test('any octet of any part changed', async (t) => {
  const stage = new JournalStage(t)
  const files = await threeDays(stage)
  for (const file of files) {
    const good = readFileSync(file)
    for (let i = 0; i < good.length; i += 13) {
      const bad = Buffer.from(good)
      bad[i]! ^= 0x10
      writeFileSync(file, bad)
      assert.notEqual(await verified(stage), 'accepted', `octet ${i} of ${path.basename(file)}`)
    }
    writeFileSync(file, good)
  }
  assert.equal(await verified(stage), 'accepted')
})

/** The records of a part, without its beginning. */
function recordsOf(bytes: Buffer): Buffer[] {
  const all: Buffer[] = []
  for (let at = MAGIC; at < bytes.length; ) {
    const length = 4 + bytes.readUInt32BE(at)
    all.push(bytes.subarray(at, at + length))
    at += length
  }
  return all
}

test('entries exchanged, doubled, left out; parts exchanged or left out', async (t) => {
  const stage = new JournalStage(t)
  const files = await threeDays(stage)
  const good = readFileSync(files[1]!)
  const records = recordsOf(good)
  const head = good.subarray(0, MAGIC)
  for (let i = 0; i + 1 < records.length; i++) {
    const exchanged = [...records]
    ;[exchanged[i], exchanged[i + 1]] = [exchanged[i + 1]!, exchanged[i]!]
    for (const bad of [exchanged, records.filter((_, j) => j !== i), [...records.slice(0, i), records[i]!, ...records.slice(i)]]) {
      writeFileSync(files[1]!, concat(head, ...bad))
      assert.equal(await verified(stage), 'JOURNAL_CHANGED', `record ${i}`)
    }
  }
  writeFileSync(files[1]!, good)
  const aside = path.join(stage.folder, 'aside')
  renameSync(files[1]!, aside)
  assert.equal(await verified(stage), 'JOURNAL_CHANGED', 'a part in the middle is gone')
  writeFileSync(files[1]!, readFileSync(files[0]!))
  assert.equal(await verified(stage), 'JOURNAL_CHANGED', 'the first part twice')
  writeFileSync(files[1]!, good)
  const [first, third] = [readFileSync(files[0]!), readFileSync(files[2]!)]
  writeFileSync(files[0]!, third)
  writeFileSync(files[2]!, first)
  assert.notEqual(await verified(stage), 'accepted', 'the order of the parts')
})

test('the beginning deleted by somebody else than the client', async (t) => {
  const stage = new JournalStage(t)
  const files = await threeDays(stage)
  rmSync(files[0]!)
  assert.equal(await verified(stage), 'JOURNAL_GAP')
})

test('an older copy of the whole folder put back: noticed by the client, kept aside, and told', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['one', 'two'])
  const copy = path.join(stage.folder, 'copy')
  cpSync(stage.journal, copy, { recursive: true })
  await stage.run(['three', 'four'])
  rmSync(stage.journal, { recursive: true })
  cpSync(copy, stage.journal, { recursive: true })
  assert.equal(await verified(stage), 'accepted', 'in itself it is good')
  await stage.run(['five'])
  assert.match(stage.complaints[0]!, /JOURNAL_TRUNCATED/)
  const { entries } = await stage.read()
  assert.equal(ofWhat(entries, 'set-aside')[0]?.code, 'JOURNAL_TRUNCATED')
  const aside = readdirSync(stage.journal).find((f) => f.startsWith('aside-'))!
  assert.ok(readdirSync(path.join(stage.journal, aside)).length >= 2, 'the evidence is kept')
})

test('a changed journal is not gone on with: it is set aside, told to the user, and stands in the new one', async (t) => {
  const stage = new JournalStage(t)
  const [file] = await threeDays(stage).then((f) => f.slice(-1))
  const bad = readFileSync(file!)
  bad[bad.length - 5]! ^= 1
  writeFileSync(file!, bad)
  await stage.run(['thursday'])
  assert.match(stage.complaints[0]!, /JOURNAL_(CHANGED|TRUNCATED)/)
  const { result, entries } = await stage.read()
  assert.ok(result.ok)
  assert.deepEqual(textsOf(entries), ['thursday'])
  assert.equal(ofWhat(entries, 'set-aside').length, 1)
})

test('checkpoints under another key, entries under a key of one\'s own', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['one'])
  const [part] = must(journalParts(stage.journal))
  const bytes = readFileSync(part!.file)
  const eve = stage.people.person('Eve')
  const key = journalKeyFor(stage.crypto, privatePart(stage.ann.pkcs8), REALM)
  const { tip } = must(readJournal(stage.crypto, key, bytes, undefined))
  const forged = frameRecord(stage.crypto, 'checkpoint', tip, signCheckpoint(stage.crypto, tip, REALM, stage.clock.unix(), eve.signer))
  writeFileSync(part!.file, concat(bytes, forged.bytes))
  assert.equal(await verified(stage), 'JOURNAL_CHANGED')
  const control = frameRecord(stage.crypto, 'checkpoint', tip, signCheckpoint(stage.crypto, tip, REALM, stage.clock.unix(), stage.ann.signer))
  writeFileSync(part!.file, concat(bytes, control.bytes))
  assert.equal(await verified(stage), 'accepted')
  // Eve's own vault does not open Ann's, and what Eve wrote is not Ann's.
  assert.notEqual(codeOf((await stage.read(stage.vault(eve))).result), 'accepted')
})

test('two copies gone on with: no key and nonce serve twice', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['one'])
  const parts = must(journalParts(stage.journal)).map((p) => new Uint8Array(readFileSync(p.file)))
  const head = new Uint8Array(readFileSync(path.join(stage.journal, 'head')))
  const [a, b] = [stage.vault(), stage.vault()]
  const openings = [must(await a.call('journal.open', { parts, head })), must(await b.call('journal.open', { parts, head }))]
  assert.equal(openings[0]!.next, openings[1]!.next, 'the same place')
  const notes = [{ what: 'started', text: 'the same words' }] as const
  const [x, y] = [must(await a.call('journal.append', { notes })), must(await b.call('journal.append', { notes }))]
  // Without the tag, which depends on what stands before: one key and nonce would give the same octets.
  const payloads = [x, y].map(({ records }) => Buffer.from(records.subarray(4 + 1 + 8 + 32, -16)).toString('hex'))
  assert.notEqual(payloads[0], payloads[1])
})

test('the client cannot make the vault say what it did not see: its words are marked as its own', async (t) => {
  const stage = new JournalStage(t)
  const vault = stage.vault()
  const opened = must(await vault.call('journal.open', { parts: [] }))
  const lie = { what: 'left', source: 'vault', time: 1, room: 'r', call: 'c', epoch: 1 } as unknown as { what: 'started'; text: string }
  const made = must(await vault.call('journal.append', { notes: [lie] }))
  const { entries } = must(await vault.call('journal.read', { part: concat(Buffer.from('stc journal 1\n'), opened.records, made.records), head: made.head }))
  assert.equal(entries.at(-1)!.entry.source, 'client')
  assert.equal(entries.at(-1)!.entry.time, stage.clock.unix())
  // Across the border of a vault process it does not even come in.
  assert.equal(JOURNAL_SHAPES['journal.append']({ notes: [{ what: 'started', text: 'x', source: 'vault' }] }), BAD)
  assert.equal(JOURNAL_SHAPES['journal.append']({ notes: [{ what: 'left', room: 'r', call: 'c', epoch: 1 }] }), BAD)
  assert.notEqual(JOURNAL_SHAPES['journal.append']({ notes: [{ what: 'started', text: 'x' }] }), BAD)
})
