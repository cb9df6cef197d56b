/** What really passed over loopback, by tshark: the payloads of UDP datagrams and TCP segments. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from './free-ports.ts'
import { run, until } from './processes.ts'
import type { Running } from './processes.ts'

export interface Captured {
  readonly protocol: 'udp' | 'tcp'
  readonly from: number
  readonly to: number
  /** Seconds since the first packet. */
  readonly at: number
  readonly payload: Uint8Array
}

export interface Capture {
  /** Ends the capture and returns all packets that carry something, in order. */
  stop(): Promise<Captured[]>
}

/** `filter`: as for tcpdump, e.g. `port 7443`. Resolves when packets are being taken. Needs root or the group wireshark. */
export async function capture(filter: string): Promise<Capture> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-capture-'))
  const file = path.join(folder, 'packets.pcapng')
  const beacon = await freePorts(1)
  // 32 MB of kernel buffer: a dropped packet would look like one that was never sent.
  const tap = run('tshark', ['-q', '-i', 'lo', '-B', '32', '-f', `(${filter}) or udp port ${beacon}`, '-w', file])
  // tshark says it captures before it does, and at its end throws away what is still in the kernel:
  // a datagram of our own, seen in the file, proves both ends of the capture.
  await passed(tap, file, beacon)
  return {
    async stop() {
      await passed(tap, file, beacon)
      tap.signal('SIGINT')
      await tap.exit
      try {
        return read(file).filter((p) => p.to !== beacon)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

/** Sends a mark to the beacon's port until the file has it. */
async function passed(tap: Running, file: string, beacon: number): Promise<void> {
  const mark = randomBytes(16)
  const socket = createSocket('udp4')
  try {
    await until(20_000, 'packets in the capture', () => {
      if (tap.ended) throw new Error(`tshark ended at once:\n${tap.tail()}`)
      socket.send(mark, beacon, '127.0.0.1')
      return (existsSync(file) && readFileSync(file).includes(mark)) || undefined
    }, tap.tail)
  } finally {
    socket.close()
  }
}

function read(file: string): Captured[] {
  const fields = ['frame.time_relative', 'udp.srcport', 'udp.dstport', 'udp.payload', 'tcp.srcport', 'tcp.dstport', 'tcp.payload']
  const args = ['-r', file, '-n', '-o', 'tcp.desegment_tcp_streams:FALSE', '-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=f', ...fields.flatMap((f) => ['-e', f])]
  const done = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 1 << 30 })
  if (done.status !== 0) throw new Error(`tshark cannot read its own capture: ${done.stderr}`)
  const packets: Captured[] = []
  for (const line of done.stdout.split('\n')) {
    const [at, udpFrom, udpTo, udp, tcpFrom, tcpTo, tcp] = line.split('|')
    const protocol = udp ? 'udp' : 'tcp'
    const hex = udp || tcp
    if (hex) packets.push({ protocol, at: Number(at), from: Number(udp ? udpFrom : tcpFrom), to: Number(udp ? udpTo : tcpTo), payload: Buffer.from(hex.replaceAll(':', ''), 'hex') })
  }
  return packets
}

/** One after the other. */
export function payloads(packets: readonly Captured[]): Uint8Array {
  return Buffer.concat(packets.map((p) => p.payload))
}
