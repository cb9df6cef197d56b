/** Microphone and speaker of `stc call`: programs that are installed and find no device. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { must } from '../../../src/base/result.ts'
import { saidGerman } from '../../../src/cli/german/said.ts'
import { openSound } from '../../../src/cli/terminal-sound.ts'

const skip = process.platform === 'win32' ? 'the programs are scripts for sh' : false
const PATIENCE_MS = 60_000
const PATH = process.env['PATH']

async function until(seen: () => boolean, what: () => unknown): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !seen(); await wait(10)) assert.ok(performance.now() < end, JSON.stringify(what()))
}

/** A sound that finds these programs alone. */
function soundOf(t: TestContext, programs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-sound-'))
  for (const [name, script] of Object.entries(programs)) writeFileSync(path.join(folder, name), script.startsWith('#!') ? script : `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env['PATH'] = folder
  const [spoken, told]: [number[], string[]] = [[], []]
  const sound = must(openSound({}, (pcm) => spoken.push(...pcm), (text) => told.push(text)))
  t.after(() => {
    sound[Symbol.dispose]()
    process.env['PATH'] = PATH
    rmSync(folder, { recursive: true, force: true })
  })
  return { sound, spoken, told, folder }
}
const NO_DAEMON = 'echo "Connection failure: Connection refused" >&2; exit 1'
const BUSY = 'echo "arecord: main:850: audio open error: Device or resource busy" >&2; exit 1'

test('a program that ends at once is followed by the next one, for the microphone and for the speaker', { skip }, async (t) => {
  const { sound, spoken, told, folder } = soundOf(t, {
    parec: NO_DAEMON, arecord: 'printf "\\001\\000\\002\\000"; exec /bin/sleep 600', pacat: NO_DAEMON, aplay: 'exec /bin/cat > "$(/usr/bin/dirname "$0")/heard"',
  })
  await until(() => spoken.length === 2, () => [spoken, told])
  assert.deepEqual(spoken, [1, 2])
  const heard = (): string => {
    try {
      return readFileSync(path.join(folder, 'heard'), 'latin1')
    } catch {
      return ''
    }
  }
  await until(() => {
    sound.heard(Int16Array.of(0x4141))
    return heard().includes('AA')
  }, heard)
  assert.deepEqual(told, [])
  assert.deepEqual([sound.microphone, sound.speaker], ['parec', 'pacat'])
})

test('where none of them finds a device it is said, with what each of them said', { skip }, async (t) => {
  const { told } = soundOf(t, { parec: NO_DAEMON, arecord: BUSY, aplay: 'exit 3' })
  await until(() => told.length === 2, () => told)
  assert.deepEqual(told.sort(), [
    'no microphone: others hear silence (parec: Connection failure: Connection refused; arecord: arecord: main:850: audio open error: Device or resource busy)', 'no speaker: you hear nothing (aplay: it ended with 3)',
  ])
  assert.equal(saidGerman(told[1]!), 'kein Lautsprecher: Sie hören nichts (aplay: it ended with 3)')
})

test('the end of the call is no lost device, and a program that cannot be started is one', { skip }, async (t) => {
  const { sound, spoken, told } = soundOf(t, { parec: 'printf "\\001\\000"; exec /bin/sleep 600', pacat: 'exec /bin/sleep 600' })
  await until(() => spoken.length === 1, () => spoken)
  sound[Symbol.dispose]()
  const other = soundOf(t, { rec: '#!/nowhere/sh\n' })
  await until(() => other.told.length === 1, () => other.told)
  assert.match(other.told[0]!, /^no microphone: .*\(rec: .*ENOENT/)
  assert.deepEqual([told, other.sound.microphone, other.sound.speaker], [[], 'rec', ''])
})

test('Ctrl-C on the terminal is not for the programs: they end when the call has ended, and none is tried in their place', { skip: process.platform === 'linux' ? false : 'needs /proc' }, async (t) => {
  const { sound, spoken } = soundOf(t, { parec: 'read -r stat < "/proc/$$/stat"; echo "$stat" > "$(/usr/bin/dirname "$0")/stat"; printf "\\001\\000"; exec /bin/sleep 600' })
  await until(() => spoken.length === 1, () => spoken)
  const [pid, , , , group] = readFileSync(path.join(process.env['PATH']!, 'stat'), 'latin1').split(' ')
  assert.equal(group, pid)
  sound[Symbol.dispose]()
})
