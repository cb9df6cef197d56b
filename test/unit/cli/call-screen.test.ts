/** The screen of `stc call`: what was said before it and under it. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { CallScreen } from '../../../src/cli/call-screen.ts'

const MAIN = '\x1b[?1049l'

/** Standard input and output are a terminal; what was written there. */
function onTerminal(work: () => void): string {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input })
  const real = { stdin: Object.getOwnPropertyDescriptor(process, 'stdin')!, isTTY: process.stdout.isTTY, write: process.stdout.write, language: process.env['STC_LANGUAGE'] }
  let written = ''
  Object.defineProperty(process, 'stdin', { configurable: true, value: input })
  process.stdout.isTTY = true
  process.env['STC_LANGUAGE'] = 'en'
  // Octets are what the test runner tells its parent.
  process.stdout.write = ((more: string | Uint8Array) => (typeof more === 'string' ? (written += more) !== undefined : real.write.call(process.stdout, more))) as typeof process.stdout.write
  try {
    work()
  } finally {
    Object.defineProperty(process, 'stdin', real.stdin)
    process.stdout.isTTY = real.isTTY
    process.stdout.write = real.write
    if (real.language === undefined) delete process.env['STC_LANGUAGE']
    else process.env['STC_LANGUAGE'] = real.language
  }
  return written
}

test('news from before the screen is said at once, shown on it, and not said again after it; news under it is said after it', () => {
  const written = onTerminal(() => {
    const screen = new CallScreen('weekly', () => {})
    screen.tell('the sound of before')
    screen.begin({ client: {}, media: () => {}, memory: {}, microphone: 'one', speaker: 'two' } as unknown as Parameters<CallScreen['begin']>[0])
    screen.tell('the sound of now')
    screen.end()
  })
  const [before, after] = [written.slice(0, written.indexOf('\x1b[?1049h')), written.slice(written.lastIndexOf(MAIN) + MAIN.length)]
  const screen = written.slice(before.length, written.lastIndexOf(MAIN))
  assert.deepEqual([before, after], ['the sound of before\n', 'the sound of now\n'])
  assert.match(screen, /the sound of before/)
})
