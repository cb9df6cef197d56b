/** Ports on loopback for programs that must be told theirs. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const host = '127.0.0.1'
// Below the kernel's ephemeral range, so that no outgoing socket takes one between our look and its use.
// Test runs beside each other have a part of it each (test/run.ts): which one, of how many.
const { lane, lanes } = laneOf(process.env['STC_TEST_LANE'] ?? '0/1')
const part = 2 * Math.floor((32_000 - 20_000) / lanes / 2)
const first = 20_000 + lane * part
const last = first + part
/** What belongs to this run, for a capture: runs beside it send on loopback too. */
export const ownPorts = `portrange ${first}-${last - 1}`
let next = first + 2 * Math.floor((Math.random() * (last - first)) / 2)

function laneOf(text: string): { readonly lane: number; readonly lanes: number } {
  const [lane, lanes] = (/^(\d{1,2})\/(\d{1,2})$/.exec(text) ?? []).slice(1).map(Number)
  if (lane === undefined || lanes === undefined || lane >= lanes) throw new Error(`STC_TEST_LANE is ${JSON.stringify(text)}, not n/m with n < m`)
  return { lane, lanes }
}

const udpFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const s = createSocket('udp4')
    s.once('error', () => resolve(false))
    s.bind(port, host, () => s.close(() => resolve(true)))
  })

const tcpFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const s = createServer()
    s.once('error', () => resolve(false))
    s.listen(port, host, () => s.close(() => resolve(true)))
  })

/** The first, even port of `count` neighbours, free for UDP and TCP; never handed out twice. */
export async function freePorts(count = 2): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (next + count > last) next = first
    const base = next
    next += count + (count % 2)
    let free = true
    for (let p = base; free && p < base + count; p++) free = (await udpFree(p)) && (await tcpFree(p))
    if (free) return base
  }
  throw new Error(`no ${count} free neighbouring ports between ${first} and ${last}`)
}
