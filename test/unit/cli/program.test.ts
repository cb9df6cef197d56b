import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import type { Command } from 'commander'
import { completionFor } from '../../../src/cli/completion.ts'
import { makeProgram } from '../../../src/cli/program.ts'

const leaves = (c: Command, path = ''): { command: Command; path: string }[] => [...(c.commands.length === 0 ? [{ command: c, path }] : []), ...c.commands.flatMap((s) => leaves(s, `${path} ${s.name()}`))]

test('every command speaks JSON and says in a line what it does', () => {
  for (const { command, path } of leaves(makeProgram([], 'en'))) {
    assert.ok(command.options.some((o) => o.long === '--json'), `stc${path} has no --json`)
    assert.match(command.description(), /^.{10,140}$/, `stc${path}`)
    for (const o of command.options) assert.ok(o.description.length > 0, `stc${path} ${o.flags} says nothing`)
  }
})

test('all three shells know every command and option', () => {
  const program = makeProgram([], 'en')
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const text = completionFor(shell, program)
    for (const { path } of leaves(program)) assert.ok(text.includes(`"${path}"`) || text.includes(`'${path}'`), `${shell}: stc${path}`)
    for (const word of ['SIP_TLS', 'in-process']) assert.ok(text.includes(word), `${shell}: ${word}`)
    assert.ok(text.includes(shell === 'fish' ? '-l config' : '--config'))
  }
})

/** What bash offers after these words. */
function offered(...words: string[]): string[] {
  const script = `${completionFor('bash', makeProgram([], 'en'))}\nCOMP_WORDS=(stc ${words.map((w) => `'${w}'`).join(' ')}); COMP_CWORD=${words.length}; _stc; printf '%s\\n' "\${COMPREPLY[@]}"`
  return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.split('\n').filter((l) => l !== '')
}

test('bash completes commands, options, their values and fault codes', { skip: spawnSync('bash', ['-c', ':']).error !== undefined ? 'there is no bash' : false }, () => {
  assert.deepEqual(offered('expl'), ['explain'])
  assert.deepEqual(offered('server', 'sta'), ['status'])
  assert.deepEqual(offered('client', '--va'), ['--vault'])
  assert.deepEqual(offered('client', '--vault', 'in'), ['in-process'])
  assert.deepEqual(offered('client', '-c', 'x.yaml', '--jso'), ['--json'])
  assert.deepEqual(offered('explain', 'SIP_TL'), ['SIP_TLS'])
})
