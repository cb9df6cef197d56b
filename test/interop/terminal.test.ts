/** What needs a terminal: a passphrase that is not shown, a call with its live roster, completion in a real bash. */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { type Running, run, until } from '../kit/processes.ts'
import { startServer, TestAuthority } from '../kit/stc.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-terminal-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const voice = fileURLToPath(new URL('../../demo/voices/river.wav', import.meta.url))
const quoted = (words: readonly string[]): string => words.map((w) => `'${w}'`).join(' ')

/** A command on a terminal of 100 columns: `script` has one made (util-linux, in every Debian). */
function onTerminal(command: string, env: Readonly<Record<string, string>> = {}): Running {
  return run('script', ['-qfec', `stty rows 30 cols 100; ${command}`, '/dev/null'], { cwd: folder, env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', ...env } })
}
/** Without what moves the cursor. */
const plain = (text: string): string => text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '\n')
const shows = (r: Running, what: RegExp, ms = 45_000): Promise<RegExpExecArray> => until(ms, `${what} on the terminal`, () => what.exec(plain(r.output())) ?? undefined, r.tail)

test('stc call: the passphrase is typed unseen, the roster lives, meters move, keys do what the screen says', { timeout: 300_000, skip: process.platform === 'win32' ? 'there is no script' : false }, async (t) => {
  const ca = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, ca.server())
  t.after(() => server.stop())
  const config = (name: string, papers = ca.member(name)): string => {
    const file = path.join(folder, `${name}.yaml`)
    writeFileSync(file, stringify({ server: { host: '127.0.0.1', port: server.port }, identity: papers, page: false }))
    return file
  }
  const papers = ca.member('anna')
  const { key } = papers
  const [anna, bruno] = [config('anna', papers), config('bruno')]
  writeFileSync(key, createPrivateKey(readFileSync(key)).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'lamp post' }))
  const screen = onTerminal(quoted([process.execPath, program, 'call', '100', '-c', anna, '--silent']))
  t.after(() => screen.stop())
  await shows(screen, /Passphrase of \S+anna\.key: /)
  screen.child.stdin.write('lamp\r')
  await shows(screen, /That does not open it\. Try again\.\s+Passphrase of/)
  screen.child.stdin.write('lamp post\r')
  await shows(screen, /● Only you are here: nobody can hear this/)
  assert.ok(!screen.output().includes('lamp'), 'what is typed is not shown')

  const robot = run(process.execPath, [program, 'call', '100', '-c', bruno, '--play', voice, '--record', path.join(folder, 'bruno.wav'), '--json'], { cwd: folder })
  t.after(() => robot.stop())
  let said = ''
  robot.child.stdout.on('data', (piece: string) => (said += piece))
  await shows(screen, /● Only these 2 people can hear this/)
  await shows(screen, /▮{4,}·* {2}bruno/)
  assert.doesNotMatch(plain(screen.output()), /no microphone/, 'who is silent on purpose is not told to install anything')
  await shows(screen, /security code \d{5}( \d{5}){5}/)
  screen.child.stdin.write('m')
  await shows(screen, /anna {2}\(you, MUTED\)/)
  screen.child.stdin.write('/flag stop, please\r')
  await shows(screen, /red flag.*stop, please/i)
  screen.child.stdin.write('q')
  await until(30_000, 'the end', () => screen.ended || undefined, screen.tail)
  assert.equal(await screen.exit, 0, screen.tail())
  assert.ok(screen.output().endsWith('left\r\n'), 'the screen is as it was before')

  // The other side said the same in JSON, each line of it, with the id of the call.
  const lines = said.slice(0, said.lastIndexOf('\n') + 1).split('\n').filter((l) => l.trim() !== '').map((l) => JSON.parse(l) as { event?: string; call?: string; members?: { name: string }[] })
  assert.ok(lines.some((l) => l.members?.length === 2 && /^[0-9a-f]{8,}$/.test(l.call ?? '')), robot.tail())
})

test('completion in a bash that a person sits at: commands, options, their values, fault codes', { timeout: 300_000, skip: process.platform === 'win32' ? 'there is no bash' : false }, async (t) => {
  writeFileSync(path.join(folder, 'stc'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 })
  const bash = onTerminal('PS1=ready: bash --norc --noprofile -i', { PATH: `${folder}:${process.env['PATH']}`, INPUTRC: '/dev/null', HISTFILE: '/dev/null' })
  t.after(() => bash.stop())
  await shows(bash, /ready:/)
  bash.child.stdin.write('eval "$(stc completion bash)"; echo made-$((1+1))\r')
  await shows(bash, /made-2/)
  for (const [typed, whole] of [['stc expl\t', 'stc explain '], ['stc server sta\t', 'stc server status '], ['stc client --vault in\t', 'stc client --vault in-process '], ['stc explain CHANNEL_UNREA\t', 'stc explain CHANNEL_UNREACHABLE ']] as const) {
    bash.child.stdin.write(typed)
    await shows(bash, new RegExp(whole))
    bash.child.stdin.write('\x15')
  }
  bash.child.stdin.write('exit\r')
})
