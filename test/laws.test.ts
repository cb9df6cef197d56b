/** The laws of the source layout (docs/architecture.md), checked on the import graph. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../src/', import.meta.url))
const files = globSync('**/*.{ts,tsx}', { cwd: root }).map((f) => f.replaceAll('\\', '/')).sort()
const text = new Map(files.map((f) => [f, readFileSync(root + f, 'utf8')]))

/** All import specifiers of a file; `import type` counts too: an arrow is an arrow. */
function specifiers(source: string): string[] {
  const found = source.matchAll(/(?:^|\n)\s*(?:import|export)\s[^'"\n;]*?(?:\{[^}]*\}[^'"]*?)?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g)
  return [...found].map((m) => (m[1] ?? m[2] ?? m[3])!)
}
const imports = new Map(files.map((f) => [f, specifiers(text.get(f)!)]))
const own = new Map(files.map((f) => [f, imports.get(f)!.filter((s) => s.startsWith('.')).map((s) => path.posix.normalize(path.posix.join(path.posix.dirname(f), s)))]))

/** Which folders each folder may import from, itself included. Order is the direction of the arrows. */
const allowed: [string, string[]][] = [
  ['base/', ['base/']],
  ['ffi/', ['base/', 'ffi/']],
  ['crypto/', ['base/', 'crypto/', 'ffi/']],
  ['model/', ['base/', 'model/']],
  ['protocol/srtp/', ['base/', 'crypto/port.ts', 'protocol/srtp/', 'protocol/rtp/']],
  ['protocol/', ['base/', 'crypto/port.ts', 'model/', 'protocol/']],
  ['audio/', ['base/', 'audio/']],
  ['net/', ['base/', 'net/', 'ffi/']],
  ['media/', ['base/', 'crypto/', 'protocol/rtp/', 'protocol/srtp/', 'audio/', 'net/', 'media/', 'model/', 'vault/api/']],
  ['telephony/', ['base/', 'crypto/port.ts', 'protocol/sip/', 'protocol/sdp/', 'net/', 'telephony/']],
  ['vault/api/', ['base/', 'model/', 'protocol/wire/cbor.ts', 'protocol/wire/limits.ts', 'vault/api/']],
  ['vault/inside/', ['base/', 'crypto/', 'model/', 'protocol/', 'store/private-key.ts', 'vault/api/', 'vault/inside/']],
  ['vault/host/', ['base/', 'crypto/', 'model/', 'protocol/wire/cbor.ts', 'protocol/x509/pem.ts', 'net/', 'vault/api/', 'vault/host/']],
  ['pki/', ['base/', 'crypto/', 'model/', 'protocol/sgx/', 'protocol/x509/', 'pki/']],
  ['store/', ['base/', 'crypto/', 'model/', 'protocol/policy/', 'protocol/sgx/', 'protocol/x509/', 'store/']],
  ['client/', ['base/', 'crypto/', 'model/', 'protocol/sip/', 'protocol/sdp/', 'protocol/rtp/', 'protocol/srtp/', 'protocol/wire/', 'protocol/x509/', 'audio/', 'net/', 'media/', 'telephony/', 'vault/api/', 'vault/host/', 'store/', 'client/']],
  ['web/', ['base/faults/', 'model/', 'web/']],
  ['server/', ['base/', 'crypto/', 'model/', 'protocol/sip/', 'protocol/sdp/', 'protocol/rtp/', 'protocol/srtp/', 'protocol/asterisk/', 'protocol/hop/', 'protocol/room/', 'protocol/policy/', 'protocol/wire/', 'protocol/x509/', 'net/', 'media/', 'telephony/', 'store/', 'server/']],
  ['demo/', ['base/', 'crypto/', 'model/', 'audio/', 'net/', 'media/', 'vault/', 'client/', 'server/', 'pki/', 'store/', 'protocol/', 'demo/']],
  ['cli/', ['']],
]
const ruleOf = (f: string): string[] | undefined => allowed.find(([folder]) => f.startsWith(folder))?.[1]

test('the parser of imports sees all forms', () => {
  assert.deepEqual(specifiers("import a from 'x'\nimport { b,\n c } from './y.ts'\nimport type { T } from './t.ts'\nexport * from './z.ts'\nimport './s.ts'\nawait import('./d.ts')"), ['x', './y.ts', './t.ts', './z.ts', './s.ts', './d.ts'])
})

test('arrows go down the list', () => {
  const wrong: string[] = []
  for (const f of files) {
    const rule = ruleOf(f)
    if (rule === undefined) wrong.push(`${f}: stands in no known folder`)
    else for (const to of own.get(f)!) if (!rule.some((prefix) => to.startsWith(prefix))) wrong.push(`${f} → ${to}`)
  }
  assert.deepEqual(wrong, [])
})

test('no cycles', () => {
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (f: string, trail: string[]): void => {
    if (state.get(f) === 'done') return
    if (state.get(f) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(f)), f].join(' → '))
      return
    }
    state.set(f, 'open')
    for (const to of own.get(f) ?? []) if (runtimeArrow(f, to)) visit(to, [...trail, f])
    state.set(f, 'done')
  }
  for (const f of files) visit(f, [])
  assert.deepEqual(cycles, [])
})

/** False where every import of `to` in `f` is `import type`: types may refer to each other. */
function runtimeArrow(f: string, to: string): boolean {
  const name = path.posix.basename(to).replaceAll('.', '\\.')
  const source = text.get(f)!
  const all = [...source.matchAll(new RegExp(`(import|export)(\\s+type)?\\s[^'"]*?['"][^'"]*/${name}['"]`, 'g'))]
  return all.length === 0 || all.some((m) => m[2] === undefined)
}

/** Everything reachable from one file. */
function reach(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen
  seen.add(entry)
  for (const to of own.get(entry) ?? []) reach(to, seen)
  return seen
}

test('key-holding protocols are reached by the vault alone', () => {
  const guarded = /^protocol\/(mls|sframe|frameseal|keyagreement)\//
  const wrong = files.filter((f) => !/^(vault\/inside|cli|demo)\//.test(f) && !guarded.test(f)).flatMap((f) => own.get(f)!.filter((to) => guarded.test(to)).map((to) => `${f} → ${to}`))
  assert.deepEqual(wrong, [])
})

test('the client sees the vault through its api and host', () => {
  const wrong = files.filter((f) => f.startsWith('client/') || f.startsWith('media/')).flatMap((f) => [...reach(f)].filter((to) => to.startsWith('vault/inside/')).map((to) => `${f} ⇒ ${to}`))
  assert.deepEqual(wrong, [])
})

test('kinds do not import each other, handsets import no kinds, only the switch imports kinds', () => {
  const wrong: string[] = []
  for (const f of files) for (const to of own.get(f)!) {
    const kind = /^client\/kinds\/([^/.]+)/.exec(to)?.[1]
    if (kind === undefined) continue
    const from = /^client\/kinds\/([^/.]+)/.exec(f)?.[1]
    if (from === kind || f.startsWith('cli/') || /^client\/switch/.test(f)) continue
    wrong.push(`${f} → ${to}`)
  }
  assert.deepEqual(wrong, [])
})

test('the media worker reaches only media things', () => {
  const may = /^(base|ffi|crypto|protocol\/(rtp|srtp)|audio|net|media|model|vault\/api)\/|^protocol\/wire\/(cbor|limits)\.ts$/
  const wrong = files.filter((f) => f.startsWith('media/')).flatMap((f) => [...reach(f)].filter((to) => !may.test(to)).map((to) => `${f} ⇒ ${to}`))
  assert.deepEqual(wrong, [])
})

test('foreign functions are called by the native folders alone', () => {
  const wrong = files.filter((f) => !/^(ffi|net\/native|crypto\/native)\//.test(f)).flatMap((f) => own.get(f)!.filter((to) => to.startsWith('ffi/')).map((to) => `${f} → ${to}`))
  const koffi = files.filter((f) => f !== 'ffi/library.ts' && text.get(f)!.includes("'koffi'"))
  assert.deepEqual([...wrong, ...koffi], [])
})

test('pure folders have no I/O, clock, randomness, timers or WebCrypto', () => {
  const banned = /Date\.now|new Date\(\)|Math\.random|\bset(?:Timeout|Interval|Immediate)\b|crypto\.subtle|performance\.now|process\./
  const wrong: string[] = []
  for (const f of files.filter((f) => /^(base|model|protocol|audio)\//.test(f))) {
    for (const s of imports.get(f)!) if (s.startsWith('node:')) wrong.push(`${f} imports ${s}`)
    const code = text.get(f)!.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
    const hit = banned.exec(code)
    if (hit !== null) wrong.push(`${f} uses ${hit[0]}`)
  }
  assert.deepEqual(wrong, [])
})

test('rooms stay small', () => {
  const long = files.filter((f) => text.get(f)!.split('\n').length > 500)
  assert.deepEqual(long, [], 'files of more than 500 lines')
  // Composition roots may gather more.
  const busy = files.filter((f) => !f.startsWith('cli/') && !f.startsWith('demo/') && own.get(f)!.length > 12 && !/(^|\/)(index|main|app)\.tsx?$/.test(f))
  assert.deepEqual(busy, [], 'files with more than 12 imports of our own')
})
