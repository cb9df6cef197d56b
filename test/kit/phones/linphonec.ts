/** Drives linphonec 5.1 (Debian: linphone-cli) over its standard input and output. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from '../free-ports.ts'
import { run, until, within } from '../processes.ts'
import type { Running } from '../processes.ts'
import { readWav } from '../wav.ts'
import type { Pcm } from '../wav.ts'
import { PhoneLog } from './phone.ts'
import type { Phone, PhoneCodecName, PhoneEvent, PhoneOptions } from './phone.ts'

const loopback = '127.0.0.1'
/** What linphonec enables by itself, and what we may ask for: mime, rate, channels. */
const codecTable: readonly (readonly [PhoneCodecName | undefined, string, number, number])[] = [
  ['opus', 'opus', 48000, 2],
  ['speex', 'speex', 16000, 1],
  [undefined, 'speex', 8000, 1],
  ['pcmu', 'PCMU', 8000, 1],
  ['pcma', 'PCMA', 8000, 1],
  ['gsm', 'GSM', 8000, 1],
  ['g722', 'G722', 8000, 1],
  [undefined, 'G729', 8000, 1],
]

export interface LinphonecOptions extends PhoneOptions {
  readonly sipPort?: number
  readonly caFile?: string
  /** Milliseconds in a packet that it sends, whatever the other side asks for. */
  readonly ptime?: number
  /** For a server that asks for one: PEM files. */
  readonly certificate?: { readonly certificate: string; readonly key: string }
}

export interface Linphonec extends Phone {
  readonly sipPort: number
  readonly pid: number
  /** What it printed so far. */
  readonly printed: () => string
  /** A line of its command language (`help advanced`). */
  command(line: string): void
}

export async function startLinphonec(options: LinphonecOptions): Promise<Linphonec> {
  // Without this folder in its home it fails to open its database and hangs at exit.
  const host = options.address ?? loopback
  const folder = mkdtempSync(path.join(tmpdir(), `stc-linphonec-${options.name}-`))
  mkdirSync(path.join(folder, '.local/share/linphone'), { recursive: true })
  const sipPort = options.sipPort ?? (await freePorts(2))
  const rtp = await freePorts(2)
  const rc = path.join(folder, 'rc')
  const recording = path.join(folder, 'heard.wav')
  writeFileSync(rc, config(options, sipPort, rtp))
  const process = run('linphonec', ['-d', '0', '-c', rc, ...(options.autoAnswer === true ? ['-a'] : [])], { cwd: folder, env: { ...globalThis.process.env, HOME: folder } })
  const log = new PhoneLog(`linphonec ${options.name}`, process.tail)
  process.exit.then((code) => log.push({ kind: 'exit', code }), () => log.push({ kind: 'exit', code: 'not started' }))
  process.onLine((line) => {
    const event = translate(line.replace(/^(linphonec> )+/, ''))
    if (event !== undefined) log.push(event)
  })
  const command = (line: string): void => void process.child.stdin.write(`${line}\n`)
  command('soundcard use files')
  command(`play ${options.microphone}`)
  command(`record ${recording}`)
  await until(10_000, `start of linphonec ${options.name}`, () => alive(process) && (/record /.test(process.output()) || undefined), process.tail)
  if (options.registrar !== undefined) watchRegistration(process, command)
  let lastHeard: Pcm | undefined
  const rate = codecTable.find(([name]) => name === options.codecs[0])?.[2] ?? 8000
  const assumed = { rate: options.codecs[0] === 'g722' ? 16000 : rate }
  const heard = (): Pcm => lastHeard ?? (existsSync(recording) ? readWav(recording, assumed) : { rate: 8000, samples: new Int16Array(0) })
  const clean = async (): Promise<void> => {
    await process.exit.catch(() => undefined)
    lastHeard = heard()
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    uri: `sip:${options.name}@${host}:${sipPort}`,
    sipPort,
    pid: process.pid,
    events: log,
    printed: process.output,
    command,
    dial: (uri) => command(`call ${uri}`),
    answer: () => command('answer'),
    hangup: () => command('terminate'),
    hold: () => command('pause'),
    resume: () => command('resume'),
    mute: () => command(/muted=yes|^mute$/m.test(process.output()) ? 'unmute' : 'mute'),
    sendDtmf: (digits) => command(digits),
    heard,
    async stop() {
      if (!process.ended) command('quit')
      const hard = setTimeout(() => void process.stop(), 5000)
      await clean()
      clearTimeout(hard)
    },
    async kill() {
      process.signal('SIGKILL')
      await within(5000, `end of linphonec ${options.name}`, clean())
    },
  }
}

const alive = (process: Running): true => {
  if (process.ended) throw new Error(`linphonec ended at once:\n${process.tail()}`)
  return true
}

function config(o: LinphonecOptions, sipPort: number, rtp: number): string {
  const r = o.registrar
  const host = o.address ?? loopback
  const transport = r?.transport ?? 'udp'
  const codecs = [...codecTable].sort((a, b) => rank(o.codecs, a[0]) - rank(o.codecs, b[0]))
  return [
    '[sip]',
    // −1: any port. One transport only; its address keeps linphonec off the other interfaces.
    `sip_port=${transport === 'udp' ? sipPort : 0}`,
    `sip_tcp_port=${transport === 'tcp' ? -1 : 0}`,
    `sip_tls_port=${transport === 'tls' ? -1 : 0}`,
    `bind_address=${host}`,
    'guess_hostname=0',
    `contact="${o.name}" <sip:${o.name}@${host}:${sipPort}>`,
    'use_ipv6=0',
    'keepalive_period=0',
    // Its TLS library knows no addresses in certificates, only names (mbedTLS 2.28).
    ...(o.caFile === undefined ? [] : [`root_ca=${o.caFile}`, 'verify_server_cn=0']),
    ...(o.srtp === true ? ['media_encryption=srtp', 'media_encryption_mandatory=1'] : []),
    `default_proxy=${r === undefined ? -1 : 0}`,
    ...(r === undefined ? [] : registration(o, r, transport)),
    '[rtp]',
    `bind_address=${host}`,
    `audio_rtp_port=${rtp}`,
    ...(o.ptime === undefined ? [] : [`upload_ptime=${o.ptime}`]),
    '[net]',
    'dns_srv_enabled=0',
    '[sound]',
    'echocancellation=0',
    'agc=0',
    '[video]',
    'automatically_initiate=0',
    ...codecs.flatMap(([name, mime, rate, channels], i) => [
      `[audio_codec_${i}]`,
      `mime=${mime}`,
      `rate=${rate}`,
      `channels=${channels}`,
      `enabled=${name !== undefined && o.codecs.includes(name) ? 1 : 0}`,
    ]),
    '',
  ].join('\n')
}

function registration(o: LinphonecOptions, r: NonNullable<PhoneOptions['registrar']>, transport: string): string[] {
  const at = `${r.address}:${r.port}`
  return [
    '[proxy_0]',
    `reg_proxy=<sip:${at};transport=${transport}>`,
    `reg_route=<sip:${at};transport=${transport};lr>`,
    `reg_identity=<sip:${o.name}@${at}>`,
    `reg_expires=${r.expires ?? 60}`,
    'reg_sendregister=1',
    'publish=0',
    ...(r.password === undefined ? [] : ['[auth_info_0]', `username=${r.user ?? o.name}`, `passwd=${r.password}`, `domain=${r.address}`]),
    ...(o.certificate === undefined ? [] : [`client_cert_chain=${o.certificate.certificate}`, `client_cert_key=${o.certificate.key}`]),
  ]
}

const rank = (wanted: readonly PhoneCodecName[], name: PhoneCodecName | undefined): number => {
  const at = name === undefined ? -1 : wanted.indexOf(name)
  return at < 0 ? wanted.length : at
}

/** linphonec says nothing about registrations unless asked. */
function watchRegistration(process: Running, command: (line: string) => void): void {
  const ask = setInterval(() => {
    if (process.ended || /LinphoneRegistration(Ok|Failed)/.test(process.output())) clearInterval(ask)
    else command('states proxies')
  }, 200)
  ask.unref()
}

function translate(line: string): PhoneEvent | undefined {
  const caller = /^Receiving new incoming call from (.*), assigned id/.exec(line)
  if (caller !== null) return { kind: 'incoming', peer: caller[1]! }
  if (/LinphoneRegistrationOk/.test(line)) return { kind: 'registered' }
  if (/LinphoneRegistrationFailed/.test(line)) return { kind: 'unregistered', reason: 'LinphoneRegistrationFailed' }
  if (/^Call \d+ (to|with) .* (ringing|early media)/.test(line)) return { kind: 'ringing' }
  if (/^Call \d+ (to|with) .* connected\./.test(line)) return { kind: 'established' }
  if (/^Media streams established|^Call \d+ with .* is now paused|paused by remote/.test(line)) return { kind: 'media' }
  const tone = /^Receiving tone (.) from/.exec(line)
  if (tone !== null) return { kind: 'dtmf', digit: tone[1]! }
  const end = /^Call \d+ (?:to|with) .* (?:ended|error|failed|declined)\b(.*)/.exec(line) ?? /^Call \d+ failed(.*)/.exec(line)
  return end === null ? undefined : { kind: 'closed', reason: line.trim() }
}
