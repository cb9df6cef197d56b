/** A name server of a test's own: addresses (A) and services (SRV) of one zone, over UDP. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

export interface Srv {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}
/** By name: its services, or its IPv4 address. */
export type Zone = Readonly<Record<string, readonly Srv[] | string>>

const A = 1
const SRV = 33
const nameOctets = (name: string): Buffer => Buffer.concat([...name.split('.').filter((l) => l !== '').map((l) => Buffer.concat([Buffer.of(l.length), Buffer.from(l)])), Buffer.of(0)])
const u16 = (...values: number[]): Buffer => Buffer.concat(values.map((v) => Buffer.of(v >> 8, v & 0xff)))

/** Names that it does not have do not exist. Gives its address and port; `asked` is told every question. */
export async function nameServer(t: TestContext, zone: Zone, at: { readonly address?: string; readonly port?: number; readonly asked?: (name: string, type: number) => void } = {}): Promise<string> {
  const { address = '127.0.0.1', port = 0, asked } = at
  const socket = createSocket('udp4')
  socket.bind(port, address)
  await once(socket, 'listening')
  t.after(() => socket.close())
  socket.on('message', (q, from) => {
    const labels: string[] = []
    let end = 12
    for (; q[end] !== 0; end += q[end]! + 1) labels.push(q.subarray(end + 1, end + 1 + q[end]!).toString())
    const question = q.subarray(12, end + 5)
    const [name, type] = [labels.join('.').toLowerCase(), q.readUInt16BE(end + 1)]
    asked?.(name, type)
    const known = zone[name]
    const answers = recordsOf(known, type).map((data) => Buffer.concat([u16(0xc00c, type, 1, 0, 60, data.length), data]))
    // A name that is there and has no such record is no error: resolvers ask for IPv6 as well.
    socket.send(Buffer.concat([q.subarray(0, 2), u16(known === undefined ? 0x8583 : 0x8580, 1, answers.length, 0, 0), question, ...answers]), from.port, from.address)
  })
  return `${address}:${socket.address().port}`
}

function recordsOf(known: Zone[string] | undefined, type: number): Buffer[] {
  if (typeof known === 'string') return type === A ? [Buffer.from(known.split('.').map(Number))] : []
  return type === SRV ? (known ?? []).map(({ priority, weight, port, target }) => Buffer.concat([u16(priority, weight, port), nameOctets(target)])) : []
}
