import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run, within } from '../../kit/processes.ts'
import { startServer, TestAuthority } from '../../kit/stc.ts'
import { freePorts } from '../../kit/free-ports.ts'

const program = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const TIME_LIMIT = { timeout: 60_000 }

test('stc server: up, and down again on SIGTERM with exit code 0', TIME_LIMIT, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const server = await startServer(folder, new TestAuthority(folder, 'ca').server())
  t.after(() => server.process.stop())
  server.process.signal('SIGTERM')
  assert.equal(await within(20_000, 'the end of the server', server.process.exit, server.process.tail), 0)
  assert.match(server.process.output(), /stc server at 127\.0\.0\.1:/)
})

test('stc server: complaints name what is wrong, and the exit code is that of a wrong configuration', TIME_LIMIT, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const papers = new TestAuthority(folder, 'ca').server()
  const port = await freePorts()
  const holder = createServer().listen(port, '127.0.0.1')
  await once(holder, 'listening')
  t.after(() => holder.close())
  const identity = JSON.stringify(papers)
  const wrong: [string, RegExp][] = [
    [`identity: ${identity}\nlisten: {port: 0, adress: x}`, /listen.*adress.*CONFIG_WRONG/],
    [`identity: ${identity}\nlisten: {address: 127.0.0.1, port: ${port}}`, /cannot listen.*port.*CONFIG_LISTEN/],
  ]
  for (const [text, complaint] of wrong) {
    const file = path.join(folder, 'server.yaml')
    writeFileSync(file, text)
    const p = run(process.execPath, [program, 'server', '--config', file])
    t.after(() => p.stop())
    assert.equal(await within(20_000, 'the complaint', p.exit, p.tail), 78, p.tail())
    assert.match(p.output(), complaint)
  }
})
