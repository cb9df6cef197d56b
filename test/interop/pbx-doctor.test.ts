/** `stc server asterisk-config` and `stc doctor pbx` as a user runs them, on a real Asterisk. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { until } from '../kit/processes.ts'
import { TestAuthority } from '../kit/stc.ts'
import { findAsterisk } from './fetch-asterisk.ts'
import { needsAsterisk } from './setup.ts'

const program = fileURLToPath(new URL('../../bin/stc.mjs', import.meta.url))

test('a plain Asterisk is told what it lacks, gets it, and is in order but for what only its owner can decide', { timeout: 300_000 }, async (t) => {
  if (!needsAsterisk(t)) return
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-doctor-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const asterisk = await startAsterisk({
    config: () => ({
      'extensions.conf': '[from-internal]\nexten => 700,1,ConfBridge(700)\n',
      'pjsip.conf': `${endpoint('anna', { more: 'rtp_timeout=30\nmessage_context=sms' })}\n[trunk]\ntype=identify\nendpoint=anna\nmatch=127.0.0.1\n`,
    }),
  })
  t.after(() => asterisk.stop())
  const at = (f: string): string => path.join(folder, f)
  writeFileSync(at('asterisk'), `#!/bin/sh\nexec ${findAsterisk()!.command.join(' ')} "$@"\n`)
  chmodSync(at('asterisk'), 0o755)
  mkdirSync(at('fail2ban/jail.d'), { recursive: true })
  writeFileSync(at('fail2ban/jail.d/asterisk.conf'), '[asterisk]\nenabled = true\n')
  writeFileSync(at('server.yaml'), JSON.stringify({ identity: new TestAuthority(folder, 'ca').server(), pbx: { ami: { port: asterisk.ami, secretFile: 'ami.secret' } } }))
  const stc = (...args: string[]): { out: string; code: number | null } => {
    const done = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', cwd: folder })
    return { out: done.stdout + done.stderr, code: done.status }
  }
  const doctor = () => stc('doctor', 'pbx', '-c', 'server.yaml', '--asterisk', at('asterisk'), '--asterisk-config', `${asterisk.folder}/etc/asterisk.conf`, '--fail2ban', at('fail2ban'))
  const says = (out: string, lines: readonly RegExp[]): void => {
    for (const l of lines) assert.match(out, l)
  }

  const before = doctor()
  assert.equal(before.code, 1)
  says(before.out, [
    /^WRONG .*PBX_SECRET/m, /^WRONG there is no manager account "stc"/m, /^WRONG the dialplan has no way into conferences/m, /^WRONG every phone behind stc is taken for the trunk at 127\.0\.0\.1/m,
    /^risky "700" in context from-internal/m, /^risky rtp_timeout at anna/m, /^risky message_context at anna/m, /^WRONG fail2ban bans 127\.0\.0\.1/m,
  ])

  const write = () => stc('server', 'asterisk-config', '--etc', `${asterisk.folder}/etc`, '--secret-file', 'ami.secret', '--phone', 'desk1')
  const first = write()
  assert.equal(first.code, 0, first.out)
  assert.match(write().out, /^everything was there already/)
  assert.equal(/phone desk1: password (\S+)/.exec(write().out)?.[1], /phone desk1: password (\S+)/.exec(first.out)?.[1])
  asterisk.write('extensions.conf', '[from-internal](+)\ninclude => stc-conferences')
  asterisk.write('pjsip.conf', '[global]\ntype=global\nendpoint_identifier_order=username,ip,anonymous')
  writeFileSync(at('fail2ban/jail.d/asterisk.conf'), '[asterisk]\nenabled = true\nignoreip = 127.0.0.1\n')
  await asterisk.restart()
  await until(10_000, 'the new phone', async () => (await asterisk.cli('pjsip show endpoints')).includes('desk1') || undefined)

  const after = doctor()
  assert.equal(after.code, 0, after.out)
  says(after.out, [/^ok {4}the manager interface at .* takes our name and secret/m, /^ok {4}conferences ask stc, and stay closed/m, /^ok {4}who talks/m, /^ok {4}endpoints are identified by name/m, /^ok {4}fail2ban leaves/m, /^0 wrong/m])
})
