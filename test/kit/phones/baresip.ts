/** Drives baresip 1.0 (Debian: baresip-core) over its `ctrl_tcp` module: JSON in netstrings. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from '../free-ports.ts'
import { run, until, within } from '../processes.ts'
import type { Running } from '../processes.ts'
import { join, readWav } from '../wav.ts'
import type { Pcm } from '../wav.ts'
import { PhoneLog } from './phone.ts'
import type { Phone, PhoneEvent, PhoneOptions } from './phone.ts'

const loopback = '127.0.0.1'
// The clock rate of G.722 in SDP is 8000 (RFC 3551 §4.5.2), but baresip names codecs by their sampling rate.
const codecNames = { g722: 'g722/16000/1', pcmu: 'PCMU/8000/1', pcma: 'PCMA/8000/1', opus: 'opus/48000/2', speex: '', gsm: '' } as const

export interface BaresipOptions extends PhoneOptions {
  /** Keeps the SIP port of a phone that was killed, for one that comes back. */
  readonly sipPort?: number
  /** PEM of the CA to believe, for transport tls. */
  readonly caFile?: string
  /** PEM of a certificate and its key, for servers that ask for one. */
  readonly certificateFile?: string
  /** More parameters of the account line, e.g. `;100rel=yes`. */
  readonly account?: string
  /**
   * Without its jitter buffer, for a phone that hears Asterisk directly. The buffer of baresip 1.0 is not emptied when the SSRC
   * changes before it has begun to play, and then drops all packets of a lower sequence number as late; Asterisk changes
   * the SSRC after its first packets, when it begins to pass RTP on from leg to leg.
   */
  readonly unbuffered?: boolean
}

export interface Baresip extends Phone {
  readonly sipPort: number
  readonly pid: number
  /** What it printed lately. */
  readonly printed: () => string
  /** Any command of its menu, for what has no method here. */
  command(name: string, params?: string): void
}

export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const host = options.address ?? loopback
  const folder = mkdtempSync(path.join(tmpdir(), `stc-baresip-${options.name}-`))
  // SIP at n for UDP and TCP, at n+1 for TLS; control at n+2.
  const ports = await freePorts(4)
  const sipPort = options.sipPort ?? ports
  const control = ports + 2
  const rtp = await freePorts(20)
  writeFileSync(path.join(folder, 'config'), config(options, folder, { sipPort, control, rtp }))
  // Accounts come by command, so that no event is missed before we listen.
  writeFileSync(path.join(folder, 'accounts'), '')
  const process = run('baresip', ['-f', folder, '-v'], { cwd: folder })
  const log = new PhoneLog(`baresip ${options.name}`, process.tail)
  process.exit.then((code) => log.push({ kind: 'exit', code }), () => log.push({ kind: 'exit', code: 'not started' }))
  const socket = await until(10_000, `control port of baresip ${options.name}`, () => tryConnect(control, process), process.tail)
  let ready: () => void = () => {}
  const created = new Promise<void>((resolve) => {
    ready = resolve
  })
  listen(socket, (m) => {
    if (m.response === true) ready()
    const event = translate(m)
    if (event !== undefined) log.push(event)
  })
  const command = (name: string, params = ''): void => {
    const text = JSON.stringify({ command: name, params })
    socket.write(`${Buffer.byteLength(text)}:${text},`)
  }
  const clean = async (): Promise<void> => {
    socket.destroy()
    await process.exit.catch(() => undefined)
    lastHeard ??= recorded(folder)
    rmSync(folder, { recursive: true, force: true })
  }
  let lastHeard: Pcm | undefined
  command('uanew', account(options, sipPort))
  await within(5000, `account of baresip ${options.name}`, created, process.tail)
  return {
    uri: `sip:${options.name}@${host}:${sipPort}`,
    sipPort,
    pid: process.pid,
    events: log,
    printed: process.tail,
    command,
    dial: (uri) => command('dial', uri),
    answer: () => command('accept'),
    hangup: () => command('hangup'),
    hold: () => command('hold'),
    resume: () => command('resume'),
    mute: () => command('mute'),
    sendDtmf: (digits) => {
      for (const digit of digits) command('sndcode', digit)
    },
    heard: () => lastHeard ?? recorded(folder),
    async stop() {
      if (!process.ended) command('quit')
      // It waits for the answers to BYE and REGISTER: an absent peer would keep it for 32 s.
      const hard = setTimeout(() => void process.stop(), 2000)
      await clean()
      clearTimeout(hard)
    },
    async kill() {
      process.signal('SIGKILL')
      await within(5000, `end of baresip ${options.name}`, clean())
    },
  }
}

function config(o: BaresipOptions, folder: string, at: { sipPort: number; control: number; rtp: number }): string {
  const host = o.address ?? loopback
  const rate = readWav(o.microphone).rate
  return [
    'poll_method epoll',
    `sip_listen ${host}:${at.sipPort}`,
    ...(o.caFile === undefined ? [] : [`sip_cafile ${o.caFile}`]),
    ...(o.certificateFile === undefined ? [] : [`sip_certificate ${o.certificateFile}`]),
    'call_local_timeout 120',
    'call_max_calls 4',
    `audio_path ${folder}`,
    `audio_source aufile,${o.microphone}`,
    'audio_player aubridge,loudspeaker',
    'audio_alert aubridge,alert',
    // The WAV's rate must be the source's rate; baresip resamples to the codec's by itself.
    `ausrc_srate ${rate}`,
    `auplay_srate ${rate}`,
    'ausrc_channels 1',
    'auplay_channels 1',
    'audio_buffer 20-160',
    `rtp_ports ${at.rtp}-${at.rtp + 19}`,
    `jitter_buffer_delay ${o.unbuffered === true ? '0-0' : '2-10'}`,
    'rtp_stats no',
    'statmode_default off',
    `net_interface ${host}`,
    'module_path /usr/lib/baresip/modules',
    ...['g722', 'g711', 'opus', 'aufile', 'aubridge', 'sndfile', ...(o.srtp === true ? ['srtp'] : [])].map((m) => `module ${m}.so`),
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen ${loopback}:${at.control}`,
    `snd_path ${folder}`,
    '',
  ].join('\n')
}

function account(o: BaresipOptions, sipPort: number): string {
  const codecs = o.codecs.map((c) => codecNames[c]).filter((c) => c !== '').join(',')
  const r = o.registrar
  const transport = r?.transport ?? 'udp'
  const at = r === undefined ? `${o.address ?? loopback}:${sipPort}` : (r.domain ?? `${r.address}:${r.port}`)
  return [
    `<sip:${o.name}@${at};transport=${transport}>`,
    `;regint=${r === undefined ? 0 : (r.expires ?? 60)}`,
    `;answermode=${o.autoAnswer === true ? 'auto' : 'manual'}`,
    `;audio_codecs=${codecs}`,
    r === undefined ? '' : `;outbound="sip:${r.address}:${r.port};transport=${transport}"`,
    r?.password === undefined ? '' : `;auth_user=${r.user ?? o.name};auth_pass=${r.password}`,
    o.srtp === true ? ';mediaenc=srtp-mand' : '',
    o.account ?? '',
  ].join('')
}

function tryConnect(port: number, process: Running): Promise<Socket | undefined> {
  if (process.ended) throw new Error(`baresip ended at once:\n${process.tail()}`)
  return new Promise((resolve) => {
    const socket = connect(port, loopback)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}

/** Netstrings: `LENGTH:JSON,`. */
function listen(socket: Socket, take: (m: Message) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const colon = rest.indexOf(':')
      const length = Number(rest.subarray(0, Math.max(0, colon)).toString())
      if (colon < 1 || rest.length < colon + 2 + length) return
      take(JSON.parse(rest.subarray(colon + 1, colon + 1 + length).toString()) as Message)
      rest = rest.subarray(colon + 2 + length)
    }
  })
}

interface Message {
  readonly response?: boolean
  readonly type?: string
  readonly param?: string
  readonly peeruri?: string
}

function translate(m: Message): PhoneEvent | undefined {
  switch (m.type) {
    case 'REGISTER_OK':
      return { kind: 'registered' }
    case 'REGISTER_FAIL':
      return { kind: 'unregistered', reason: m.param ?? '' }
    case 'CALL_INCOMING':
      return { kind: 'incoming', peer: m.peeruri ?? '' }
    case 'CALL_RINGING':
    case 'CALL_PROGRESS':
      return { kind: 'ringing' }
    case 'CALL_REMOTE_SDP':
      return { kind: 'media' }
    case 'CALL_ESTABLISHED':
      return { kind: 'established' }
    case 'CALL_DTMF_START':
      return { kind: 'dtmf', digit: m.param ?? '' }
    case 'CALL_CLOSED':
      return { kind: 'closed', reason: m.param ?? '' }
    default:
      return undefined
  }
}

const WAV_HEADER = 44

/** A new file begins with every start of its audio (call, resume): in order of their names, which are times. One that has just been made has no header yet. */
function recorded(folder: string): Pcm {
  const files = readdirSync(folder).filter((f) => f.endsWith('-dec.wav') && statSync(path.join(folder, f)).size >= WAV_HEADER).sort()
  return join(files.map((f) => readWav(path.join(folder, f))).filter((p) => p.samples.length > 0))
}
