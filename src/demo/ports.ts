/** Free ports for the demo's server and phone: TCP and UDP alike, on loopback. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

async function isFree(port: number, address: string): Promise<number | undefined> {
  const tcp = createServer()
  const udp = createSocket('udp4')
  try {
    tcp.listen(port, address)
    await once(tcp, 'listening')
    const taken = (tcp.address() as { port: number }).port
    udp.bind(taken, address)
    await once(udp, 'listening')
    return taken
  } catch {
    return undefined
  } finally {
    tcp.close()
    try {
      udp.close()
    } catch {
      // It never opened.
    }
  }
}

/** `wanted` when it is free, else another one. */
export async function freePort(wanted: number, address = '127.0.0.1'): Promise<number> {
  const first = await isFree(wanted, address)
  if (first !== undefined) return first
  for (let i = 0; i < 50; i++) {
    const other = await isFree(0, address)
    if (other !== undefined) return other
  }
  throw new Error(`no free port on ${address}`)
}
