/** What the bench "bridge" compares: our plane, a C program, rtpengine. Each takes the same calls. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ssrc } from '../src/base/brand.ts'
import { toHex } from '../src/base/bytes.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import type { SrtpKeys } from '../src/media/api.ts'
import type { StartPlaneOptions } from '../src/media/plane-host.ts'
import type { LegSpec } from '../src/media/plane/types.ts'
import type { AddressPort } from '../src/net/address.ts'
import { deriveSessionKeys } from '../src/protocol/srtp/keys.ts'
import { pause } from './_args.ts'
import { type CallPlaces, downOf, upOf } from './_bridge-load.ts'
import { pin } from './_pinned.ts'
import type { PlaneAnswer, PlaneOrder } from './_plane.ts'
import { BenchProcess } from './_process.ts'

export interface PreparedCall {
  readonly spec: LegSpec
  readonly client: AddressPort
  readonly peer: AddressPort
}
export interface Relay {
  readonly pid: number
  /** Whether clients have to prove where they are. */
  readonly probe: boolean
  open(calls: readonly PreparedCall[]): Promise<readonly CallPlaces[]>
  stop(): Promise<void>
}
export type RelayName = 'native' | 'portable' | 'c' | 'rtpengine'

const LIMIT_MS = 120_000
const LOOPBACK = '127.0.0.1'
const crypto = createNodeCrypto()

export async function startRelay(name: RelayName, suite: SrtpKeys['suite'], gatherMs: number): Promise<Relay> {
  if (name === 'c') return startC(suite, gatherMs)
  if (name === 'rtpengine') return startRtpengine(suite)
  return startOurs({ choice: name, gatherMs, bind: { address: LOOPBACK, port: 0 } })
}

async function startOurs(options: StartPlaneOptions): Promise<Relay> {
  const plane = new BenchProcess<PlaneOrder, PlaneAnswer>('./_plane.ts')
  pin(plane.pid, 0)
  plane.order({ kind: 'start', options })
  const { local } = await plane.next('started', LIMIT_MS)
  return {
    pid: plane.pid, probe: true, stop: () => plane.stop(),
    async open(calls) {
      plane.order({ kind: 'legs', specs: calls.map((c) => c.spec) })
      const { legs } = await plane.next('legs', LIMIT_MS)
      plane.order({ kind: 'plain', specs: calls.map((c) => ({ bind: LOOPBACK, peer: { rtp: c.peer } })) })
      const { opened } = await plane.next('plain', LIMIT_MS)
      plane.order({ kind: 'bridges', bridges: opened.map((p, n) => ({ plain: p.leg, to: { kind: 'hop', leg: legs[n]!, receive: ssrc(upOf(n)), send: ssrc(downOf(n)) } })) })
      await plane.next('done', LIMIT_MS)
      return opened.map((p) => ({ hop: local, plain: p.rtp }))
    },
  }
}

async function startC(suite: SrtpKeys['suite'], gatherMs: number): Promise<Relay> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-bench-'))
  const program = path.join(folder, 'bridge')
  const compiled = spawnSync('cc', ['-O2', '-o', program, fileURLToPath(new URL('./c/bridge.c', import.meta.url)), '-lcrypto'], { encoding: 'utf8' })
  if (compiled.status !== 0) throw new Error(`the C program needs cc and libssl-dev: ${compiled.stderr}`)
  const gcm = suite !== 'AES_CM_128_HMAC_SHA1_80'
  const kind = suite === 'AEAD_AES_256_GCM' ? 'gcm256' : gcm ? 'gcm' : 'sha1'
  const child = spawn('taskset', ['-c', '0', program, kind, String(gatherMs * 1000)], { stdio: ['pipe', 'pipe', 'inherit'] })
  return {
    pid: child.pid ?? -1, probe: false,
    async open(calls) {
      const keys = (k: SrtpKeys): string => {
        const { cipherKey, salt } = deriveSessionKeys(crypto, k, false)
        return `${toHex(gcm ? cipherKey : cipherKey.subarray(0, 16))} ${toHex(salt)} ${gcm ? '-' : toHex(cipherKey.subarray(16))}`
      }
      for (const [n, c] of calls.entries()) child.stdin.write(`${upOf(n).toString(16)} ${keys(c.spec.receive)} ${downOf(n).toString(16)} ${keys(c.spec.send)} ${c.peer.port}\n`)
      child.stdin.write('\n')
      let hop: AddressPort = { address: LOOPBACK, port: 0 }
      const places: CallPlaces[] = []
      for await (const line of createInterface(child.stdout)) {
        const [what, port] = line.split(' ')
        if (what === 'ready') break
        if (what === 'hop') hop = { address: LOOPBACK, port: Number(port) }
        else places.push({ hop, plain: { address: LOOPBACK, port: Number(port) } })
      }
      return places
    },
    async stop() {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
  await ended
  clearTimeout(timer)
}

const SDES: Readonly<Record<string, string>> = { AEAD_AES_128_GCM: 'AEAD_AES_128_GCM', AEAD_AES_256_GCM: 'AEAD_AES_256_GCM', AES_CM_128_HMAC_SHA1_80: 'AES_CM_128_HMAC_SHA1_80' }

/** rtpengine from Debian's packages, in user space with one worker, driven by its NG protocol (bencoded dictionaries over UDP). */
async function startRtpengine(suite: SrtpKeys['suite']): Promise<Relay> {
  const ng = createSocket('udp4')
  await new Promise<void>((resolve) => ng.bind(0, LOOPBACK, resolve))
  const port = 20_000 + (process.pid % 9000)
  const child = spawn('taskset', ['-c', '0', 'rtpengine', '--foreground', '--log-stderr', '--log-level=2', '--table=-1', `--interface=${LOOPBACK}`, `--listen-ng=${LOOPBACK}:${port}`,
    '--port-min=30000', '--port-max=39998', '--num-threads=1', '--media-num-threads=0'], { stdio: ['ignore', 'ignore', 'ignore'] })
  let failed = ''
  child.on('error', (e) => (failed = `rtpengine is not installed (Debian: rtpengine-daemon): ${e.message}`))
  child.on('exit', (code) => (failed ||= `rtpengine ended with ${code}`))
  const ask = async (command: Record<string, Bencoded>): Promise<Record<string, string>> => {
    const cookie = toHex(crypto.bytes(6))
    for (let tries = 0; tries < 20; tries++) {
      if (failed !== '') throw new Error(failed)
      ng.send(`${cookie} ${bencode(command)}`, port, LOOPBACK)
      const answer = await Promise.race([once(ng, 'message'), pause(500)])
      const text = (answer as [Buffer] | undefined)?.[0].toString('latin1')
      if (text?.startsWith(cookie) === true) return bdecode(text.slice(cookie.length + 1))
    }
    throw new Error('rtpengine does not answer')
  }
  await ask({ command: 'ping' })
  return {
    pid: child.pid ?? -1, probe: false,
    async open(calls) {
      const places: CallPlaces[] = []
      for (const [n, c] of calls.entries()) {
        const call = { 'call-id': `bench-${n}`, 'from-tag': 'a' }
        const offer = await ask({ command: 'offer', ...call, sdp: sdp(c.peer, 'RTP/AVP'), 'transport-protocol': 'RTP/SAVP', DTLS: 'off', ICE: 'remove', flags: ['trust-address', 'generate-mid-off'], SDES: [`only-${SDES[suite]}`] })
        const line = new RegExp(`a=crypto:(\\d+) ${SDES[suite]} inline:([A-Za-z0-9+/=]+)`).exec(offer['sdp'] ?? '')
        if (line === null) throw new Error(`rtpengine offers no ${suite}: ${JSON.stringify(offer)}`)
        const mine = Buffer.concat([c.spec.receive.masterKey, c.spec.receive.masterSalt]).toString('base64')
        const answer = await ask({ command: 'answer', ...call, 'to-tag': 'b', sdp: sdp(c.client, 'RTP/SAVP', `a=crypto:${line[1]} ${SDES[suite]} inline:${mine}\r\n`), DTLS: 'off', ICE: 'remove', flags: ['trust-address'] })
        const theirs = Buffer.from(line[2]!, 'base64')
        const { length } = c.spec.send.masterKey
        places.push({
          hop: mediaOf(offer['sdp']), plain: mediaOf(answer['sdp']),
          keys: { suite, masterKey: Uint8Array.from(theirs.subarray(0, length)), masterSalt: Uint8Array.from(theirs.subarray(length, length + c.spec.send.masterSalt.length)) },
        })
      }
      return places
    },
    async stop() {
      ng.close()
      await end(child)
    },
  }
}
const sdp = (at: AddressPort, profile: string, more = ''): string =>
  `v=0\r\no=- 1 1 IN IP4 ${at.address}\r\ns=-\r\nc=IN IP4 ${at.address}\r\nt=0 0\r\nm=audio ${at.port} ${profile} 0\r\na=rtpmap:0 PCMU/8000\r\n${more}a=sendrecv\r\n`
function mediaOf(text: string | undefined): AddressPort {
  const port = /m=audio (\d+)/.exec(text ?? '')?.[1]
  if (port === undefined) throw new Error(`no media in ${text}`)
  return { address: LOOPBACK, port: Number(port) }
}

type Bencoded = string | readonly string[]
const bencode = (v: Bencoded | Record<string, Bencoded>): string =>
  typeof v === 'string' ? `${v.length}:${v}` : Array.isArray(v) ? `l${v.map((x: string) => bencode(x)).join('')}e` : `d${Object.entries(v).map(([k, x]) => bencode(k) + bencode(x as Bencoded)).join('')}e`
/** Strings of the outermost dictionary; whatever else is in there is passed over. */
function bdecode(text: string): Record<string, string> {
  const out: Record<string, string> = {}
  let at = 1
  const take = (): string => {
    const colon = text.indexOf(':', at)
    const end = colon + 1 + Number(text.slice(at, colon))
    const s = text.slice(colon + 1, end)
    at = end
    return s
  }
  const skip = (): void => {
    if (/\d/.test(text[at]!)) take()
    else if (text[at] === 'i') at = text.indexOf('e', at) + 1
    else {
      at++
      while (text[at] !== 'e') skip()
      at++
    }
  }
  while (at < text.length && text[at] !== 'e') {
    const key = take()
    if (/\d/.test(text[at]!)) out[key] = take()
    else skip()
  }
  return out
}
