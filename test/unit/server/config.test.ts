import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { readServerConfig } from '../../../src/server/index.ts'

test('what the file says, what is the default, and where files are', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'server.yaml')
  writeFileSync(file, 'identity: {certificate: a.pem, key: /etc/b.key, anchors: [ca/ca.pem]}\nlisten: {address: "::1"}\n')
  const c = must(readServerConfig(file))
  assert.deepEqual(c.listen, { address: '::1', port: 7443 })
  assert.deepEqual(c.identity, { certificate: path.join(folder, 'a.pem'), key: '/etc/b.key', anchors: [path.join(folder, 'ca/ca.pem')] })
  assert.equal(c.rooms.members, 200)
})

test('complaints name the key and what is allowed', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const good = 'identity: {certificate: a, key: b, anchors: [c]}\n'
  const wrong: [string, string, RegExp][] = [
    ['', 'CONFIG_WRONG', /identity/],
    [`${good}listen: {port: 70000}`, 'CONFIG_WRONG', /listen\.port.*65535/],
    [`${good}listen: {address: example.org}`, 'CONFIG_WRONG', /listen\.address: must be a numeric address/],
    [`${good}lsten: {}`, 'CONFIG_WRONG', /lsten/],
    [`${good}realm: Big Realm`, 'CONFIG_WRONG', /realm: must be lower-case/],
    [`${good}hybrid: never`, 'CONFIG_WRONG', /hybrid.*preferred.*required/],
    [`${good}advertise: [{address: 1.2.3.4}]`, 'CONFIG_WRONG', /advertise\.0\.port/],
    ['a: [', 'CONFIG_SYNTAX', /line 1/],
  ]
  for (const [text, code, complaint] of wrong) {
    const file = path.join(folder, 'server.yaml')
    writeFileSync(file, text)
    const r = readServerConfig(file)
    assert.ok(!r.ok, text)
    assert.equal(r.fault.code, code)
    assert.match(r.fault.message, complaint)
  }
  const missing = readServerConfig(path.join(folder, 'none.yaml'))
  assert.ok(!missing.ok && missing.fault.code === 'CONFIG_UNREADABLE')
})
