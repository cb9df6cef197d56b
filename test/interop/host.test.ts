/** A group of five from nothing, by a script whose commands are counted: `stc host`, five invitations used, five robots that hear each other. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { heardSpeech } from '../../src/audio/heard.ts'
import { speechOf } from '../../src/audio/wav.ts'
import { must } from '../../src/base/result.ts'
import { freePorts } from '../kit/free-ports.ts'
import { run, until } from '../kit/processes.ts'
import { voice, voiceNames } from '../kit/voices.ts'

const MOST_COMMANDS = 10
const PEOPLE = ['Amara', 'Bruno', 'Chiara', 'Dmitri', 'Elif'] as const
/** From when all five are in the room, however long the machine needed for that. */
const TALK_S = 12
const launcher = fileURLToPath(new URL('../../bin/stc.mjs', import.meta.url))
const voices = fileURLToPath(new URL('../../demo/voices/', import.meta.url))

const RATE = 16_000
const PIECE = 2 * RATE
/** On a busy machine sound stumbles: it is judged in whichever piece of two seconds is good. Chance finds a voice that is not there in less than half of one. */
const heardSomewhere = (expected: Int16Array, recorded: Int16Array): boolean =>
  Array.from({ length: Math.max(1, Math.floor((recorded.length - PIECE) / (RATE / 2))) }, (_, i) => recorded.subarray((i * RATE) / 2, (i * RATE) / 2 + PIECE)).some((piece) => must(heardSpeech(expected, piece)).heard)

const unfit = process.platform === 'win32' ? 'the script is one for sh' : false

function makeFolder(t: { after(f: () => void): void }): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-host-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  // The command, as an installed package has it.
  writeFileSync(path.join(folder, 'stc'), `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`)
  chmodSync(path.join(folder, 'stc'), 0o755)
  return folder
}

test('from a bare machine to five robots that hear each other, in at most ten commands', { timeout: 300_000, skip: unfit }, async (t) => {
  const folder = makeFolder(t)
  const [port, door] = [await freePorts(2), await freePorts(2)]
  const wav = (i: number): string => path.join(voices, `${voiceNames[i]}.wav`)
  const script = [
    `stc host --at 127.0.0.1:${port} --door ${door} --confirmed --json ${PEOPLE.join(' ')} > host.log & HOST=$!`,
    `until grep -q 'The group runs' host.log; do sleep 0.2; done`,
    ...PEOPLE.map((name, i) => `stc join "$(grep '"${name}"' host.log | cut -d '"' -f 8)" --config ${name}.yaml --call weekly --play '${wav(i)}' --record ${name}.wav --with ${PEOPLE.length} --for ${TALK_S} --json > ${name}.log & CALLS="$CALLS $!"`),
    'wait $CALLS',
    'kill $HOST; wait $HOST',
  ]
  assert.ok(script.length <= MOST_COMMANDS, `${script.length} commands`)
  const shell = run('sh', ['-c', script.join('\n')], { cwd: folder, env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, HOME: folder, XDG_STATE_HOME: path.join(folder, 'state') } })
  t.after(() => shell.stop())
  await until(280_000, 'the script ends', () => shell.ended || undefined, shell.tail)

  for (const [i, name] of PEOPLE.entries()) {
    const events = readFileSync(path.join(folder, `${name}.log`), 'utf8').split('\n').filter((l) => l.startsWith('{"event"')).map((l) => JSON.parse(l) as { privacy: string; members?: { name: string; state: string }[] })
    // Who comes last sees five members before it is heard itself: "nobody hears you yet".
    const all = events.find((e) => e.privacy === 'sealed' && e.members?.length === 5 && e.members.every((m) => m.state === 'member'))
    assert.ok(all !== undefined, `${name} never saw five members in a sealed room:\n${readFileSync(path.join(folder, `${name}.log`), 'utf8').slice(-2000)}`)
    assert.deepEqual(all.members!.map((m) => m.name).sort(), [...PEOPLE].sort())
    const heard = must(speechOf(readFileSync(path.join(folder, `${name}.wav`))))
    for (const [j, other] of PEOPLE.entries()) {
      const expected = voice(voiceNames[j]!)
      if (i === j) assert.ok(must(heardSpeech(expected, heard)).absent, `${name} hears its own voice`)
      else assert.ok(heardSomewhere(expected, heard), `${name} does not hear ${other}: ${JSON.stringify(must(heardSpeech(expected, heard)))}`)
    }
  }
})

test('a second start keeps the group, and a taken port is told in a line', { timeout: 300_000, skip: process.platform === 'win32' ? 'the script is one for sh' : false }, async (t) => {
  const folder = makeFolder(t)
  const [port, door] = [await freePorts(2), await freePorts(2)]
  const stc = path.join(folder, 'stc')
  const first = run(stc, ['host', '--at', `127.0.0.1:${port}`, '--door', `${door}`, 'Amara'], { cwd: folder })
  t.after(() => first.stop())
  await until(60_000, 'the group', () => /The group runs/.test(first.output()) || undefined, first.tail)
  const anchor = readFileSync(path.join(folder, 'stc-group/ca/ca.pem'), 'utf8')
  const taken = spawnSync(stc, ['host'], { cwd: folder, encoding: 'utf8', timeout: 300_000 })
  assert.equal(taken.status, 78, taken.stderr)
  assert.match(taken.stderr, /^stc: .*CONFIG_LISTEN\]/m)
  await first.stop()
  const second = run(stc, ['host', 'Bruno'], { cwd: folder })
  t.after(() => second.stop())
  await until(60_000, 'the group again', () => /The group runs/.test(second.output()) || undefined, second.tail)
  assert.match(second.output(), /Bruno:\n {2}stc join 'https:/)
  assert.equal(readFileSync(path.join(folder, 'stc-group/ca/ca.pem'), 'utf8'), anchor)
})
