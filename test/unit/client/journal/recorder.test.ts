/** The journal on disk: what was confirmed is there whenever the machine stops; parts, deletion, a disk that is full. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { makeFault, must } from '../../../../src/base/result.ts'
import { JournalFiles, journalParts } from '../../../../src/store/journal-files.ts'
import { JournalStage, ofWhat, textsOf } from '../../../kit/journal.ts'

const DAY_MS = 86_400_000

test('what was written is read again, over several starts, in the order of writing', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['one', 'two'])
  await stage.run(['three'])
  const { result, entries } = await stage.read()
  assert.deepEqual(textsOf(entries), ['one', 'two', 'three'])
  assert.equal(must(result).torn, 0)
  assert.equal(must(result).checkpoints.length, 1, 'one at the second start')
  assert.equal(ofWhat(entries, 'ended').length, 2)
  assert.deepEqual(entries.map((e) => e.number), entries.map((e) => e.number).toSorted((a, b) => a - b))
  const parts = must(journalParts(stage.journal))
  assert.equal(parts.length, 1)
  for (const word of ['one', 'three', 'Ann']) assert.ok(!readFileSync(parts[0]!.file).includes(word), 'nothing in the clear')
  assert.deepEqual(stage.complaints, [])
})

test('the machine stops at any octet of any write: no confirmed entry is lost, and the journal goes on', async (t) => {
  const stage = new JournalStage(t)
  const vault = stage.vault()
  const recorder = stage.recorder(vault)
  // After each confirmed step: how long the part is, and the head.
  const steps: { octets: number; head: Buffer; words: string[] }[] = []
  const words: string[] = []
  const file = () => must(journalParts(stage.journal))[0]!.file
  for (const text of ['one', 'two', 'three']) {
    recorder.note({ what: 'started', text })
    await recorder.settled()
    words.push(text)
    steps.push({ octets: readFileSync(file()).length, head: readFileSync(path.join(stage.journal, 'head')), words: [...words] })
  }
  const whole = readFileSync(file())
  const name = path.basename(file())
  await recorder.close('end')
  rmSync(path.join(stage.folder, 'state'), { recursive: true })
  const crashed = (bytes: Uint8Array, head: Buffer | undefined): void => {
    rmSync(stage.journal, { recursive: true, force: true })
    must(JournalFiles.open(stage.journal))[Symbol.dispose]()
    writeFileSync(path.join(stage.journal, name), bytes)
    if (head !== undefined) writeFileSync(path.join(stage.journal, 'head'), head)
    rmSync(path.join(stage.folder, 'state'), { recursive: true, force: true })
  }
  const reader = stage.vault()
  // Before the first is confirmed: whatever is there is no fault.
  for (let n = 0; n <= steps[0]!.octets; n += 3) {
    crashed(whole.subarray(0, n), undefined)
    await stage.run(['after'])
    assert.ok(textsOf((await stage.read(reader)).entries).includes('after'), `${n} octets of the first`)
  }
  for (const [i, step] of steps.slice(0, -1).entries()) {
    const next = steps[i + 1]!
    for (let n = step.octets; n <= next.octets; n++) {
      crashed(whole.subarray(0, n), step.head)
      const before = await stage.read(reader)
      assert.ok(before.result.ok, `${n} octets`)
      assert.deepEqual(textsOf(before.entries).slice(0, step.words.length), step.words)
      if (n % 5 !== 0 && n !== next.octets) continue
      await stage.run(['after'])
      const texts = textsOf((await stage.read(reader)).entries)
      assert.deepEqual(texts.slice(0, step.words.length), step.words, `${n} octets`)
      assert.equal(texts.at(-1), 'after')
    }
  }
  assert.deepEqual(stage.complaints, [])
})

test('a new day is a new part; old ones are deleted when the configuration says so, and that stands in the journal', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['monday'])
  stage.nowMs += DAY_MS
  await stage.run(['tuesday'])
  assert.equal(must(journalParts(stage.journal)).length, 2)
  assert.deepEqual(await stage.texts(), ['monday', 'tuesday'])
  stage.nowMs += 10 * DAY_MS
  await stage.run(['later'], { keepDays: 5 })
  const { result, entries } = await stage.read()
  assert.deepEqual(textsOf(entries), ['later'])
  assert.equal(ofWhat(entries, 'deleted')[0]?.upTo, must(result).first - 1)
  assert.ok(must(result).checkpoints[0]!.number === must(result).first, 'it begins with a checkpoint')
})

test('in the middle of a run the day changes, and no vault is asked twice', async (t) => {
  const stage = new JournalStage(t)
  const vault = stage.vault()
  const recorder = stage.recorder(vault)
  for (const text of ['one', 'two', 'three']) {
    recorder.note({ what: 'started', text })
    await recorder.settled()
    stage.nowMs += DAY_MS
  }
  await recorder.close('end')
  assert.equal(must(journalParts(stage.journal)).length, 4)
  assert.deepEqual(await stage.texts(), ['one', 'two', 'three'])
})

test('a vault that died and came back: the journal goes on, with a checkpoint between', async (t) => {
  const stage = new JournalStage(t)
  let vault = stage.vault()
  const recorder = stage.recorder({ ...vault, call: (name, input) => vault.call(name, input) })
  recorder.note({ what: 'started', text: 'one' })
  await recorder.settled()
  vault = stage.vault()
  recorder.note({ what: 'started', text: 'two' })
  await recorder.settled()
  recorder.note({ what: 'started', text: 'three' })
  await recorder.close('end')
  assert.deepEqual(await stage.texts(), ['one', 'two', 'three'])
})

test('a record that could not be written whole is taken back, and written anew', async (t) => {
  const stage = new JournalStage(t)
  const vault = stage.vault()
  const recorder = stage.recorder(vault)
  recorder.note({ what: 'started', text: 'one' })
  await recorder.settled()
  // In the place of the head a folder: it cannot be replaced.
  const head = path.join(stage.journal, 'head')
  const kept = readFileSync(head)
  rmSync(head)
  mkdirSync(head)
  recorder.note({ what: 'started', text: 'two' })
  await recorder.settled()
  assert.match(stage.complaints[0]!, /not written.*STORE_UNWRITABLE/s)
  rmSync(head, { recursive: true })
  writeFileSync(head, kept)
  recorder.note({ what: 'started', text: 'three' })
  await recorder.close('end')
  assert.deepEqual(await stage.texts(), ['one', 'two', 'three'])
  assert.equal(stage.complaints.length, 1)
})

test('one client at a time', async (t) => {
  const stage = new JournalStage(t)
  const files = must(JournalFiles.open(stage.journal))
  const second = JournalFiles.open(stage.journal)
  assert.equal(second.ok ? 'open' : second.fault.code, 'JOURNAL_IN_USE')
  files[Symbol.dispose]()
  writeFileSync(path.join(stage.journal, 'lock'), '999999999\n')
  must(JournalFiles.open(stage.journal))[Symbol.dispose]()
  writeFileSync(path.join(stage.journal, 'lock'), `${process.ppid}\n`)
  const third = JournalFiles.open(stage.journal)
  assert.equal(third.ok ? 'open' : third.fault.code, 'JOURNAL_IN_USE')
  assert.deepEqual(readdirSync(stage.journal), ['lock'])
})

test('a flood of notes does not fill the disk: so many a minute, the rest is counted', async (t) => {
  const stage = new JournalStage(t)
  const vault = stage.vault()
  const recorder = stage.recorder(vault)
  for (let i = 0; i < 1000; i++) recorder.note({ what: 'started', text: `${i}` })
  stage.nowMs += 60_000
  recorder.note({ what: 'started', text: 'a minute later' })
  await recorder.close('end')
  const { entries } = await stage.read()
  assert.equal(textsOf(entries).length, 241)
  assert.match(ofWhat(entries, 'note')[0]!.text, /^760 /)
})

test('a server that cannot be reached for days is one line', async (t) => {
  const stage = new JournalStage(t)
  const vault = stage.vault()
  const recorder = stage.recorder(vault)
  const { onServer } = recorder.observer()
  for (let i = 0; i < 50; i++) onServer?.(false, { fault: makeFault('CHANNEL_UNREACHABLE', 'x') })
  onServer?.(true, {})
  onServer?.(false, { fault: makeFault('CHANNEL_UNREACHABLE', 'x') })
  await recorder.close('end')
  assert.deepEqual(ofWhat((await stage.read()).entries, 'note').map((n) => n.code), ['CHANNEL_UNREACHABLE', 'CLIENT_CONNECTED', 'CHANNEL_UNREACHABLE'])
})

test('what was torn is cut off, however long it is', async (t) => {
  const stage = new JournalStage(t)
  await stage.run(['one'])
  appendFileSync(must(journalParts(stage.journal))[0]!.file, Buffer.alloc(8192, 0xff))
  assert.equal(must((await stage.read()).result).torn, 8192)
  await stage.run(['two'])
  assert.equal(must((await stage.read()).result).torn, 0)
  assert.deepEqual(await stage.texts(), ['one', 'two'])
})
