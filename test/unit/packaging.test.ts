/** What packaging/ ships for others' programs: alert rules name metrics that exist, units are such that systemd takes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { parse } from 'yaml'
import { noTotals } from '../../src/media/plane/types.ts'
import { adminMetrics } from '../../src/server/admin/index.ts'
import type { ServerStatus } from '../../src/server/index.ts'

const folder = fileURLToPath(new URL('../../packaging/', import.meta.url))
interface Rule { readonly alert: string; readonly expr: string; readonly for?: string; readonly labels: Record<string, string>; readonly annotations: Record<string, string> }
const rules = (parse(readFileSync(`${folder}prometheus/stc-alerts.yaml`, 'utf8')) as { groups: { name: string; rules: Rule[] }[] }).groups.flatMap((g) => g.rules)

const status: ServerStatus = { realm: 'r', uptimeSeconds: 1, certificateEnds: 2, revocationListsEnd: 3, draining: true, sessions: 0, rooms: [], plane: { provider: 'portable', workers: 1, fallback: undefined, buffers: { receive: 1, send: 1, wanted: 1 } }, legs: [], stray: 0, past: noTotals() }

test('every metric that an alert rule names is exposed', async () => {
  const metrics = adminMetrics()
  metrics.commit(5)
  const { text } = await metrics.expose(status, [['X', 1]])
  const names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]!))
  for (const { alert, expr } of rules) {
    for (const [name] of expr.matchAll(/\bstc_[a-z_]+/g)) assert.ok(names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, '')), `${alert}: ${name}`)
    assert.equal(expr.replaceAll(/[^(]/g, '').length, expr.replaceAll(/[^)]/g, '').length, `${alert}: parentheses`)
  }
  assert.match(text, /^stc_revocation_lists_end_seconds 3$/m)
  assert.match(text, /^stc_draining 1$/m)
})

test('without a revocation list there is no sample of its end', async () => {
  const { revocationListsEnd: _, ...rest } = status
  const { text } = await adminMetrics().expose(rest, [])
  assert.doesNotMatch(text, /^stc_revocation_lists_end_seconds /m)
})

test('every rule says how bad it is and what it means; names are used once', () => {
  assert.ok(rules.length >= 8)
  assert.equal(new Set(rules.map((r) => r.alert)).size, rules.length)
  for (const r of rules) {
    assert.match(r.alert, /^Stc[A-Z]/)
    assert.match(r.labels['severity'] ?? '', /^(warning|critical)$/)
    assert.ok((r.annotations['summary'] ?? '').length > 10, r.alert)
    if (r.for !== undefined) assert.match(r.for, /^\d+[smh]$/)
  }
})

const has = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
// What the rules mean to Prometheus itself is for who has it; the tests above need nothing.
if (has('promtool')) test('promtool takes the rules', () => void execFileSync('promtool', ['check', 'rules', `${folder}prometheus/stc-alerts.yaml`]))

for (const unit of globSync('systemd/*.service', { cwd: folder })) test(`${unit}: hardened, and nothing in it that systemd does not know`, () => {
  const text = readFileSync(folder + unit, 'utf8')
  for (const key of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'PrivateTmp=yes', 'ProtectKernelTunables=yes', 'RestrictNamespaces=yes', 'SystemCallArchitectures=native', 'UMask=0077', 'LimitCORE=0']) assert.ok(text.includes(`\n${key}`), key)
  if (!has('systemd-analyze')) return
  let said: string
  try {
    said = execFileSync('systemd-analyze', ['verify', '--man=no', folder + unit], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (e) {
    said = String((e as { stderr?: unknown }).stderr ?? e)
  }
  assert.doesNotMatch(said, /Unknown (key|lvalue|section)|Failed to parse|Invalid/i)
})
