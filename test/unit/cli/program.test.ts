import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import type { Command } from 'commander'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { completionFor } from '../../../src/cli/completion.ts'
import { makeProgram } from '../../../src/cli/program.ts'

const leaves = (c: Command, path = ''): { command: Command; path: string }[] => [...(c.commands.length === 0 ? [{ command: c, path }] : []), ...c.commands.flatMap((s) => leaves(s, `${path} ${s.name()}`))]

test('every command speaks JSON and says in a line what it does', async () => {
  for (const { command, path } of leaves(await makeProgram([], 'en'))) {
    assert.ok(command.options.some((o) => o.long === '--json'), `stc${path} has no --json`)
    assert.match(command.description(), /^.{10,140}$/, `stc${path}`)
    for (const o of command.options) assert.ok(o.description.length > 0, `stc${path} ${o.flags} says nothing`)
  }
})

test('all three shells know every command and option', async () => {
  const program = await makeProgram([], 'en')
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const text = completionFor(shell, program)
    for (const { path } of leaves(program)) assert.ok(text.includes(`"${path}"`) || text.includes(`'${path}'`), `${shell}: stc${path}`)
    for (const word of ['SIP_TLS', 'in-process']) assert.ok(text.includes(word), `${shell}: ${word}`)
    assert.ok(text.includes(shell === 'fish' ? '-l config' : '--config'))
  }
})

/** What bash offers after these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `${completionFor('bash', await makeProgram(['completion', 'bash'], 'en'))}\nCOMP_WORDS=(stc ${words.map((w) => `'${w}'`).join(' ')}); COMP_CWORD=${words.length}; _stc; printf '%s\\n' "\${COMPREPLY[@]}"`
  return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.split('\n').filter((l) => l !== '')
}

test('bash completes commands, options, their values and fault codes', { skip: spawnSync('bash', ['-c', ':']).error !== undefined ? 'there is no bash' : false }, async () => {
  assert.deepEqual(await offered('expl'), ['explain'])
  assert.deepEqual(await offered('server', 'sta'), ['status'])
  assert.deepEqual(await offered('client', '--va'), ['--vault'])
  assert.deepEqual(await offered('client', '--vault', 'in'), ['in-process'])
  assert.deepEqual(await offered('client', '-c', 'x.yaml', '--jso'), ['--json'])
  assert.deepEqual(await offered('explain', 'SIP_TL'), ['SIP_TLS'])
})

test('a command is made alone, and what nobody knows among all of them', async () => {
  const names = async (...words: string[]): Promise<string[]> => (await makeProgram(words, 'en')).commands.map((c) => c.name())
  const all = await names()
  assert.deepEqual(await names('logs', '--json'), ['status', 'rooms', 'logs', 'trace'])
  for (const words of [['clinet'], ['--help'], ['help', 'logs'], ['completion', 'fish']]) assert.deepEqual(await names(...words), all)
  // Each part makes what its row promises: else its commands would be unknown.
  assert.deepEqual(COMMANDS.flatMap((p) => p.names), all)
})
