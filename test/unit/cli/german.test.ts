/** What people read on the terminal is there in German: help, doctors, status. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from 'commander'
import ts from 'typescript'
import { HELP } from '../../../src/cli/german/help.ts'
import { privacyGerman } from '../../../src/cli/german/privacy.ts'
import { rosterGerman } from '../../../src/cli/german/roster.ts'
import { SAID, saidGerman } from '../../../src/cli/german/said.ts'
import { complaint } from '../../../src/cli/german/program.ts'
import { speakJson } from '../../../src/cli/output.ts'
import { plainTerminal, rosterWords } from '../../../src/cli/plain-terminal.ts'
import { doctorGerman } from '../../../src/cli/doctor/german.ts'
import { makeProgram } from '../../../src/cli/program.ts'
import { type ClientStatus, keptKeys } from '../../../src/cli/attended.ts'
import { COMMANDS_HELP } from '../../../src/client/room-commands.ts'
import { showRoster } from '../../../src/client/terminal.ts'
import { protectionText } from '../../../src/model/identity.ts'
import { statusLines } from '../../../src/cli/status.ts'
import type { VaultReport } from '../../../src/vault/api/border.ts'
import { privacySentence } from '../../../src/model/privacy.ts'
import { type CallState, emptyRoster, type Roster } from '../../../src/model/roster.ts'

const all = (c: Command): Command[] => [c, ...c.commands.flatMap(all)]
const described = (p: Command): string[] => all(p).flatMap((c) => [c.description(), ...c.options.map((o) => o.description), ...c.registeredArguments.map((a) => a.description)]).filter((d) => d !== '')

test('every description of --help has its German, and none is left over', async () => {
  const english = new Set(described(await makeProgram([], 'en')))
  assert.deepEqual([...english].filter((d) => !Object.hasOwn(HELP, d)), [])
  assert.deepEqual(Object.keys(HELP).filter((d) => !english.has(d) && d !== 'display help for command'), [])
  const german = await makeProgram([], 'de')
  for (const d of described(german)) assert.ok(Object.values(HELP).includes(d), d)
  for (const c of all(german)) {
    const text = c.helpInformation()
    assert.doesNotMatch(text, /Usage:|Options:|Commands:|Arguments:|\[options\]|\[command\]|\(default: |\(choices: |display help/, c.name())
    assert.match(text, /^Aufruf: stc/)
  }
})

test('complaints about what was typed', () => {
  assert.equal(complaint("error: unknown option '--nmae'\n(Did you mean --name?)\n"), 'Fehler: unbekannte Option „--nmae“\n(Meinen Sie --name?)\n')
  assert.equal(complaint("error: option '--vault <where>' argument 'x' is invalid. Allowed choices are process, enclave.\n"), 'Fehler: „x“ gibt es bei der Option „--vault <where>“ nicht. Zur Wahl stehen process, enclave.\n')
  assert.equal(complaint("error: too many arguments for 'show'. Expected 1 argument but got 2.\n"), 'Fehler: zu viele Argumente für „show“: 1 erwartet\n')
  assert.equal(complaint('something else\n'), 'something else\n')
})

/** What an expression may say: each choice of each condition; what is only known later, and may be nothing, is a NUL. */
function said(e: ts.Expression): string[] {
  if (ts.isStringLiteralLike(e)) return [e.text]
  if (ts.isParenthesizedExpression(e)) return said(e.expression)
  if (ts.isConditionalExpression(e)) return [...said(e.whenTrue), ...said(e.whenFalse)]
  if (!ts.isTemplateExpression(e)) return ['\0']
  return e.templateSpans.reduce<string[]>((before, span) => before.flatMap((b) => said(span.expression).map((s) => b + s + span.literal.text)), [e.head.text])
}
const FINDING = new Set(['good', 'wrong', 'risky', 'unknown', 'warn', 'fault'])

/** The sentences of a doctor, as they stand in its source. */
function sentencesOf(file: string, speakers: ReadonlySet<string> = FINDING): string[] {
  const found: string[] = []
  const visit = (n: ts.Node): void => {
    if (ts.isCallExpression(n) && speakers.has(ts.isIdentifier(n.expression) ? n.expression.text : ts.isPropertyAccessExpression(n.expression) ? n.expression.name.text : '')) for (const a of n.arguments) found.push(...said(a))
    if (speakers === FINDING && ts.isPropertyAssignment(n) && ts.isIdentifier(n.name) && ['text', 'todo'].includes(n.name.text)) found.push(...said(n.initializer))
    ts.forEachChild(n, visit)
  }
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true))
  // Faults speak by their codes, from the registry.
  return found.filter((s) => /[a-z]{3}/.test(s) && !/^stc explain /.test(s))
}

test('every sentence of the doctors has its German', () => {
  const src = new URL('../../../src/', import.meta.url).pathname
  const files = ['server/pbx/examine.ts', 'server/pbx/try-manager.ts', 'cli/doctor.ts', 'cli/doctor-pbx.ts', 'cli/doctor-pki.ts', ...readdirSync(`${src}cli/doctor`).filter((f) => !/^(german|findings)/.test(f)).map((f) => `cli/doctor/${f}`)]
  const sentences = files.flatMap((f) => sentencesOf(src + f).map((s) => [f, s] as const))
  assert.ok(sentences.length > 100, `${sentences.length} sentences`)
  assert.deepEqual(sentences.filter(([, s]) => ['x', ''].every((x) => doctorGerman(s.replaceAll('\0', x)) === undefined)), [])
})

test('who can hear a call: every sentence', () => {
  const call = (state: CallState['state'], more: Partial<CallState> = {}): Roster => ({ ...emptyRoster('1', 'sealed'), phase: 'member', sealedCall: { number: '1', state, words: [], ...more } })
  const caller = { leaf: 1, number: '1', name: '', self: false, presence: {}, since: 0 } as unknown as Roster['callers'][number]
  const member = { leaf: 1, self: true, kind: 'gateway', phoneLeg: 'plain-lan' } as unknown as Roster['members'][number]
  const bridged = (callers: Roster['callers']): Roster => ({ ...emptyRoster('1', 'bridged'), phase: 'member', callers, conference: { current: false, locked: false, recorded: true, weAreHost: false, more: 0 } })
  const rosters: Roster[] = [
    ...(['early', 'seeking', 'asking', 'open', 'agreeing', 'doubt', 'lost', 'sealed'] as const).map((s) => call(s)), call('sealed', { profile: 'chained', held: true }), call('sealed', { held: true }), { ...call('sealed'), phoneLeg: 'plain-lan' as const },
    bridged([caller]), bridged([caller, caller]), emptyRoster('1', 'open'), emptyRoster('1', 'sealed'), { ...emptyRoster('1', 'sealed'), phase: 'left' },
    ...[[member], [member, member]].map((members) => ({ ...emptyRoster('1', 'sealed'), phase: 'member', members }) as Roster),
  ]
  const english = new Set(rosters.flatMap((r) => privacySentence(r).split(/(?<=\.) /)))
  for (const s of english) assert.notEqual(privacyGerman(s), s)
})

test('stc status in German', () => {
  const status = {
    version: '0.1.0', pid: 7, config: '/c.yaml', page: 'http://127.0.0.1:7480/', warnings: [],
    lines: [{
      name: '', server: { host: 'talk.example.org', up: true, path: 'udp', roundTripMs: 12.3, clockAheadS: 300 }, identity: { name: 'Anna', notAfter: 86_400 * 3 }, keys: 'process',
      phones: [{ line: 'desk', address: '127.0.0.1:5060' }], registered: [], calls: [{ room: 'weekly', sentence: 'Only these 3 people can hear this.', muted: true, members: [{ name: 'Anna' }], call: '0011' }],
    }],
  } as unknown as ClientStatus
  assert.deepEqual(statusLines(status, 0, 'de'), [
    'stc 0.1.0, Prozess 7, /c.yaml',
    'Server      talk.example.org: verbunden, Sprache über UDP, 12 ms hin und zurück',
    'Uhr         die Uhr dieses Rechners geht gegenüber der des Servers 300 s nach',
    'Sie         Anna, Zertifikat noch 3 Tage gültig',
    'Schlüssel   in einem eigenen Prozess',
    'Telefon     desk an 127.0.0.1:5060: kein Telefon angemeldet',
    'Gespräch    weekly: Nur diese 3 Personen können das hören. Sie sind stumm. (Anna), Gespräch 0011',
    'Seite       http://127.0.0.1:7480/',
  ])
  for (const [keys, en, de] of [['enclave', 'in an enclave', 'in einer Enklave'], ['in-process', "in the client's own process", 'im Prozess des Clients']] as const) {
    const kept = { ...status, lines: [{ ...status.lines[0]!, keys }] }
    assert.ok(statusLines(kept, 0).includes(`keys        ${en}`))
    assert.ok(statusLines(kept, 0, 'de').includes(`Schlüssel   ${de}`))
  }
  assert.match(statusLines(status, 0).join('\n'), /^stc 0\.1\.0, process 7, \/c\.yaml\nserver {6}talk\.example\.org: connected, media over UDP, 12 ms there and back\n/)
})

test('the rows of a roster on the terminal: every piece of them', () => {
  const src = new URL('../../../src/client/', import.meta.url).pathname
  const pieces = ['terminal.ts', 'live-screen.ts'].flatMap((f) => sentencesOf(src + f, new Set(['w'])))
  assert.ok(pieces.length > 25, `${pieces.length} pieces`)
  // Roles, and how well one is known, come from their own lists.
  for (const s of [...pieces.map((p) => p.replaceAll('\0', 'x')), 'owner', 'co-owner', 'host', 'first contact', 'ANOTHER KEY than before', 'new certificate, same key']) assert.ok(s === 'x' || s === 'keys: x' || rosterGerman(s) !== s, s)
  for (const keys of [protectionText('in-process'), protectionText('process', 'a1'), protectionText('process'), protectionText('enclave', 'a1', { proven: false, code: 'X', reason: 'y' })]) assert.match(rosterGerman(`keys: ${keys}`), /^Schlüssel: (im Prozess|abgeschotteter Prozess \(sagt)/)
  const lines: string[] = []
  const member = { leaf: 1, self: true, kind: 'gateway', state: 'joining', role: 'owner', acquaintance: { kind: 'changed', compared: true }, unheard: 'X', keyProtection: 'in-process', identity: { subject: 'host', emails: [], hosts: [], keyId: 'a'.repeat(64) } }
  showRoster({ write: (l) => lines.push(l), colours: false, words: rosterGerman }, { ...emptyRoster('1', 'sealed'), members: [member] } as unknown as Roster)
  assert.equal(lines[1], '    1 host  [aaaaaaaa]  (Sie; Besitzer; EIN ANDERER SCHLÜSSEL als vorher; Code verglichen; Gateway: Anrufer aus dem Telefonnetz hören mit; kommt gerade; ist nicht zu hören: X; Schlüssel: im Prozess)')
})

test('rosters are German for people alone: programs read English', (t) => {
  const before = process.env['STC_LANGUAGE']
  t.after(() => {
    speakJson(false)
    if (before === undefined) delete process.env['STC_LANGUAGE']
    else process.env['STC_LANGUAGE'] = before
  })
  process.env['STC_LANGUAGE'] = 'de'
  assert.equal(rosterWords().words, rosterGerman)
  speakJson(true)
  assert.deepEqual(rosterWords(), {})
  const lines: string[] = []
  showRoster(plainTerminal((l) => lines.push(l)), { ...emptyRoster('1', 'sealed'), members: [{ leaf: 1, self: true, kind: 'member', identity: { subject: 'host', emails: [], hosts: [], keyId: 'a'.repeat(64) } }] } as unknown as Roster)
  assert.match(lines.join('\n'), /\(you\)/)
})

test('how keys are kept is what the vault reports', () => {
  const report = (enclave: boolean, isolated: boolean) => keptKeys({ enclave, isolated, measurement: 'm', locks: [] } as unknown as VaultReport)
  assert.deepEqual([report(true, true), report(false, true), report(false, false), keptKeys(undefined)], ['enclave', 'process', 'in-process', 'in-process'])
})

/** Lines of configuration, commands to type, names of fields: nobody's language. */
const AS_IT_IS = /^(stc join |pbx: |sip: |[23]\. |version |measurement |signer |made for |processor |because: |weil: |\0\.?$)/

test('what commands say as they work', () => {
  const src = new URL('../../../src/cli/', import.meta.url).pathname
  const lines = readdirSync(src).filter((f) => f.endsWith('.ts')).flatMap((f) => sentencesOf(src + f, new Set(['say', 'complain', 'tell', '#tell'])).map((s) => [f, s] as const))
  assert.ok(lines.length > 100, `${lines.length} lines`)
  assert.deepEqual(lines.filter(([, s]) => !AS_IT_IS.test(s.trim().replace(/^stc: /, '')) && ['x', ''].every((x) => saidGerman(s.replaceAll('\0', x)) === undefined)), [])
  // What is typed during a call is answered through the same.
  const typed = [...sentencesOf(`${src}typed-commands.ts`, new Set(['write'])), ...sentencesOf(`${src}../client/room-commands.ts`), ...COMMANDS_HELP.map((h) => `  ${h}`)]
  assert.ok(typed.length > 20, `${typed.length} answers`)
  assert.deepEqual(typed.filter((s) => ['x', ''].every((x) => saidGerman(s.replaceAll('\0', x)) === undefined)), [])
  assert.equal(saidGerman('  Ann: 12345 67890  (compared)'), '  Ann: 12345 67890  (verglichen)')
  assert.equal(saidGerman('\x1b[32m● Only these 3 people can hear this. Phone leg: plain on LAN.\x1b[0m'), '\x1b[32m● Nur diese 3 Personen können das hören. Strecke zum Telefon: offen im LAN.\x1b[0m')
  assert.equal(saidGerman('stc: there is no fault "X"'), 'stc: es gibt keinen Fehler „X“')
  assert.equal(saidGerman('  stc join \'x\'\n'), undefined)
  for (const [english, german] of SAID) assert.deepEqual([...new Set(german.match(/\{\d\}/g))].sort(), [...new Set(english.match(/\{\d\}/g))].sort(), english)
})
