/** `--json` of every command: whatever it is asked, each line that it says is one JSON value. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { CommanderError, type Command } from 'commander'
import { speakJson } from '../../../src/cli/output.ts'
import { makeProgram } from '../../../src/cli/program.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-json-'))
const before = process.cwd()
// What a command writes where nothing is named, it writes here.
process.chdir(folder)
after(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true, force: true })
})
/** Those that begin to work with whatever they are given, or wait. */
const WORK = new Set(['demo', 'setup', 'host', 'ca init', 'ca serve', 'server init'])

const leaves = (c: Command, at: readonly string[] = []): { command: Command; at: string[] }[] => c.commands.flatMap((s) => [...(s.commands.length === 0 || s.name() === 'server' || s.name() === 'doctor' ? [{ command: s, at: [...at, s.name()] }] : []), ...leaves(s, [...at, s.name()])])

/** What it says on both streams, and its exit code. */
async function said(args: readonly string[]): Promise<{ readonly lines: string[]; readonly code: number }> {
  const [out, error, code] = [process.stdout.write, process.stderr.write, process.exitCode]
  let text = ''
  // Octets are what the test runner tells its parent.
  const take = (more: string | Uint8Array): boolean => {
    if (typeof more !== 'string') return out.call(process.stdout, more)
    text += more
    return true
  }
  process.stdout.write = take as typeof process.stdout.write
  process.stderr.write = take as typeof process.stderr.write
  let exit: number
  try {
    const program = await makeProgram(args)
    const strict = (c: Command): void => {
      c.exitOverride()
      for (const s of c.commands) strict(s)
    }
    strict(program)
    process.exitCode = 0
    await program.parseAsync(args, { from: 'user' })
    exit = Number(process.exitCode ?? 0)
  } catch (e) {
    if (!(e instanceof CommanderError)) throw e
    exit = e.exitCode
  } finally {
    process.stdout.write = out
    process.stderr.write = error
    process.exitCode = code
    speakJson(false)
  }
  return { lines: text.split('\n').filter((l) => l !== ''), code: exit }
}

test('every command, with files that are not there, an unknown option and too little, complains in JSON and fails', async () => {
  const nowhere = path.join(folder, 'nowhere', 'x.yaml')
  for (const { command, at } of leaves(await makeProgram())) {
    const name = at.join(' ')
    const missing = command.options.filter((o) => o.mandatory || o.long === '--config').flatMap((o) => [o.long!, o.argChoices?.[0] ?? nowhere])
    const given = command.registeredArguments.filter((a) => a.required).map((a) => a.argChoices?.[0] ?? nowhere)
    const tries = [[...at, '--no-such-option', '--json'], ...(WORK.has(name) ? [] : [[...at, ...given, ...missing, '--json']]), ...(given.length > 0 ? [[...at, '--json']] : [])]
    for (const args of tries) {
      const { lines, code } = await said(args)
      for (const l of lines) assert.doesNotThrow(() => JSON.parse(l), `stc ${args.join(' ')} said: ${l}`)
      if (args.includes('--no-such-option')) assert.ok(code !== 0 && lines.some((l) => Object.hasOwn(JSON.parse(l) as object, 'error')), `stc ${args.join(' ')}: ${code}`)
    }
  }
})
