/** What the doctor says of a client that runs while its server does not. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import type { ClientStatus } from '../../../src/cli/attended.ts'
import { openControl } from '../../../src/cli/control.ts'
import { examineClient } from '../../../src/cli/doctor.ts'
import { clientConfig } from '../../../src/client/config.ts'
import { readConfig } from '../../../src/store/config.ts'

test('the user\'s own client is no foreign program, whether its server is down or nobody asks', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-doctor-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const phone = createSocket('udp4').bind(0, '127.0.0.1')
  await once(phone, 'listening')
  t.after(() => phone.close())
  const file = path.join(folder, 'client.yaml')
  // Port 1 of loopback: nobody listens there.
  writeFileSync(file, `server: { host: 127.0.0.1, port: 1 }\nrealm: test.example\nvault: in-process\nidentity: { certificate: ann.pem, key: ann.key, anchors: [ca.pem] }\nphones: [{ line: desk, port: ${phone.address().port} }]\n`)
  const config = must(readConfig(file, clientConfig))
  const phones = async (offline: boolean) => (await examineClient(config, file, offline)).filter((f) => /phone/.test(f.text)).map((f) => `${f.level}: ${f.text.replace(/ \(.*/, '')}`)
  for (const offline of [true, false]) assert.deepEqual(await phones(offline), ['wrong: another program has the address of phone desk'], 'no client of ours runs')
  const status: Pick<ClientStatus, 'lines'> = { lines: [{ registered: [{ line: 'desk' }] } as unknown as ClientStatus['lines'][number]] }
  await using door = await openControl(file, { status: () => status, rooms: () => [], trace: () => [] })
  assert.ok(door !== undefined)
  for (const offline of [true, false]) assert.deepEqual(await phones(offline), ['good: phone desk is registered'])
})
