/** `stc key`: keys that come locked by others, what is said of a sealed one, and how a passphrase is asked for. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyExportOptions, type KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { askPassphrase } from '../../../src/cli/ask.ts'
import { speakJson } from '../../../src/cli/output.ts'
import { makeProgram } from '../../../src/cli/program.ts'
import { privateKeyOf } from '../../../src/store/private-key.ts'
import { needsPassphrase, sealedInfoOf } from '../../../src/store/protect-key.ts'
import { sealKey } from '../../../src/store/sealed-key.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { machineId } from '../../../src/store/machine-id.ts'

const ENVIRONMENT = ['XDG_STATE_HOME', 'CREDENTIALS_DIRECTORY', 'LANG', 'LC_ALL', 'STC_LANGUAGE'] as const
let folder: string
let before: (string | undefined)[]
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'stc-key-'))
  before = ENVIRONMENT.map((n) => process.env[n])
  Object.assign(process.env, { XDG_STATE_HOME: path.join(folder, 'state'), CREDENTIALS_DIRECTORY: path.join(folder, 'credentials'), LANG: 'C', LC_ALL: 'C', STC_LANGUAGE: 'en' })
})
afterEach(() => {
  for (const [i, n] of ENVIRONMENT.entries()) before[i] === undefined ? Reflect.deleteProperty(process.env, n) : (process.env[n] = before[i])
  rmSync(folder, { recursive: true, force: true })
})

const OLD = 'as it was handed out'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const FORMS: readonly (readonly [string, KeyObject, KeyExportOptions])[] = [
  ['PKCS#8', ec, { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: OLD }], ['RSA, RFC 1421', rsa, { format: 'pem', type: 'pkcs1', cipher: 'aes-128-cbc', passphrase: OLD }],
  ['EC, RFC 1421', ec, { format: 'pem', type: 'sec1', cipher: 'aes-128-cbc', passphrase: OLD }],
]
const pem = (key: KeyObject, form: KeyExportOptions): string => key.export(form) as string

/** The client's configuration, and the key in its file. */
function files(text: string, passphrase?: string): { readonly config: string; readonly key: string; readonly words: string } {
  const at = (name: string): string => path.join(folder, name)
  writeFileSync(at('ann.key'), text, { mode: 0o600 })
  writeFileSync(at('words'), 'four words are better\n')
  writeFileSync(at('ann.yaml'), JSON.stringify({ server: { host: '127.0.0.1' }, realm: 'test.example', identity: { certificate: 'ann.pem', key: 'ann.key', anchors: ['ca.pem'], ...(passphrase === undefined ? {} : { passphrase }) } }))
  return { config: at('ann.yaml'), key: at('ann.key'), words: at('words') }
}

/** What it says, and its exit code. */
async function stc(...args: readonly string[]): Promise<string> {
  const [out, error, code] = [process.stdout.write, process.stderr.write, process.exitCode]
  let text = ''
  const take = (whose: NodeJS.WriteStream, real: typeof out) => ((more: string | Uint8Array): boolean => {
    // Octets are what the test runner tells its parent.
    if (typeof more !== 'string') return real.call(whose, more)
    text += more
    return true
  }) as typeof out
  process.stdout.write = take(process.stdout, out)
  process.stderr.write = take(process.stderr, error)
  try {
    await (await makeProgram(args)).parseAsync(args, { from: 'user' })
  } finally {
    process.stdout.write = out
    process.stderr.write = error
    process.exitCode = code
    speakJson(false)
  }
  return text
}

/** A terminal in the place of standard input; what happens to it and to standard error, in order. */
async function atTerminal<T>(typed: readonly string[], work: (seen: string[]) => Promise<T>): Promise<T> {
  const seen: string[] = []
  const answers = [...typed]
  const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => {
    seen.push(`raw ${on}`)
    if (on) queueMicrotask(() => terminal.write(`${answers.shift() ?? '\u0003'}\r`))
  } })
  const real = Object.getOwnPropertyDescriptor(process, 'stdin')!
  const write = process.stderr.write
  Object.defineProperty(process, 'stdin', { configurable: true, value: terminal })
  process.stderr.write = ((text: string) => seen.push(text.trim()) > 0) as typeof write
  try {
    return await work(seen)
  } finally {
    process.stderr.write = write
    Object.defineProperty(process, 'stdin', real)
  }
}

test('a key that is locked is seen to be, in every form; of one that lies open nothing is asked', () => {
  for (const [name, key, form] of FORMS) {
    const text = pem(key, form)
    for (const t of [text, text.replaceAll('\n', '\r\n'), `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${text}`]) assert.ok(needsPassphrase(files(t).key), name)
    assert.equal(needsPassphrase(files(pem(key, { format: 'pem', type: 'type' in form ? form.type! : 'pkcs8' } as KeyExportOptions)).key), false, name)
  }
})

test('stc key protect takes a key as organisations hand it out: its passphrase from the configuration, the service, or whoever is asked', async () => {
  const machine = machineId()
  const [configured, served, asked] = FORMS.map(([, key, form]) => pem(key, form))
  const protect = async (text: string, passphrase?: string) => {
    const f = files(text, passphrase)
    return { ...f, said: await stc('key', 'protect', '-c', f.config, '--passphrase-file', f.words) }
  }
  const first = await protect(configured!, OLD)
  assert.match(first.said, /sealed with a passphrase[\s\S]*in the configuration or in the service's credentials is another one/)
  const opened = must(privateKeyOf(readFileSync(first.key, 'latin1'), first.key, { passphrase: 'four words are better', ...(machine === undefined ? {} : { machine }) }))
  assert.deepEqual([...opened], [...(ec.export({ format: 'der', type: 'pkcs8' }) as Buffer)])
  assert.match((await protect(served!)).said, /IDENTITY_PASSPHRASE_NEEDED/, 'nobody gave it')
  const credentials = process.env['CREDENTIALS_DIRECTORY']!
  mkdirSync(credentials)
  writeFileSync(path.join(credentials, 'stc-passphrase'), `${OLD}\n`)
  assert.match((await protect(served!)).said, /sealed with a passphrase/)
  rmSync(credentials, { recursive: true })
  assert.equal(sealedInfoOf((await atTerminal([OLD], () => protect(asked!))).key)?.lock, 'passphrase')
  // What the configuration says is of before: whoever is there is asked, and where nobody is, that is the fault.
  assert.match((await atTerminal([OLD], () => protect(asked!, 'the one before'))).said, /sealed with a passphrase[\s\S]*is another one/)
  assert.match((await atTerminal(['neither'], () => protect(asked!, 'the one before'))).said, /IDENTITY_PASSPHRASE_WRONG/)
  assert.match((await protect(asked!, 'the one before')).said, /IDENTITY_PASSPHRASE_WRONG/)
})

test('what an enclave sealed is not said to open on any machine', async () => {
  const f = files(sealKey(new Uint8Array(32), { lock: 'enclave', with: new Uint8Array(32), generation: 3 }))
  assert.match(await stc('key', 'show', '-c', f.config), /sealed with the enclave, for this program on this processor alone; copy number 3/)
  assert.equal((JSON.parse(await stc('key', 'show', '-c', f.config, '--json')) as { bound: boolean }).bound, true)
  process.env['STC_LANGUAGE'] = 'de'
  assert.match(await stc('key', 'show', '-c', f.config), /mit der Enklave versiegelt, nur für dieses Programm auf diesem Prozessor; Kopie Nummer 3/)
  process.env['STC_LANGUAGE'] = 'en'
  const any = files(sealKey(new Uint8Array(32), { lock: 'passphrase', with: new Uint8Array(32), generation: 1, logN: 10 }))
  assert.match(await stc('key', 'show', '-c', any.config), /for any machine/)
  assert.match(await stc('key', 'show', '-c', files(encodePem('PRIVATE KEY', new Uint8Array(32))).config), /is not sealed/)
  process.env['STC_LANGUAGE'] = 'de'
  for (const [text, german] of [[sealKey(new Uint8Array(32), { lock: 'passphrase', with: new Uint8Array(32), generation: 1, logN: 10 }), /einem Kennwort versiegelt, für jeden Rechner/], [encodePem('PRIVATE KEY', new Uint8Array(32)), /ist nicht versiegelt/]] as const) assert.match(await stc('key', 'show', '-c', files(text).config), german)
})

test('nothing that is typed is shown: the terminal is silent before the question stands there', async () => {
  const [answer, seen] = await atTerminal(['open sesame'], async (seen) => [await askPassphrase('Passphrase: '), seen] as const)
  assert.equal(answer, 'open sesame')
  assert.deepEqual(seen.slice(0, 2), ['raw true', 'Passphrase:'])
})
