/** The commands as people run them: how they end, and what they complain about. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { within } from '../kit/processes.ts'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'

function authority(t: TestContext): { folder: string; ca: TestAuthority } {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-processes-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return { folder, ca: new TestAuthority(folder, 'ca') }
}

test('Ctrl-C, which reaches launcher and client alike, ends a client in order; nothing keeps it alive', async (t) => {
  const { folder, ca } = authority(t)
  const server = await startServer(folder, ca.server())
  t.after(() => server.stop())
  const papers = ca.member('ann')
  chmodSync(papers.key, 0o644)
  const client = await startClient(folder, 'ann', server.port, papers, { launched: true })
  t.after(() => client.stop())
  await client.shows(/connected to/)
  await client.shows(/others on this machine can read .*chmod 600/)
  // To the whole process group, as a terminal does.
  client.process.signal('SIGINT')
  assert.equal(await within(15_000, 'end of the client', client.process.exit, client.process.tail), 0, client.process.tail())
  assert.match(client.process.output(), /leaving/)
  server.process.signal('SIGTERM')
  assert.equal(await within(15_000, 'end of the server', server.process.exit, server.process.tail), 0, server.process.tail())
})
