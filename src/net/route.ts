/** Which of this machine's addresses the system would send from: its routes know, a list of interfaces does not (VPNs, a second network). */
import { createSocket } from 'node:dgram'
import { type AddressPort, isPort } from './address.ts'

/** Undefined: no way leads there now. Nothing is sent: connecting a datagram socket only looks up the route (udp(7)). `to` is numeric. */
export function routeTo(to: AddressPort): Promise<string | undefined> {
  if (!isPort(to.port)) return Promise.resolve(undefined)
  const socket = createSocket(to.address.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    const end = (address: string | undefined): void => {
      resolve(address === '0.0.0.0' || address === '::' ? undefined : address)
      socket.close()
    }
    socket.once('error', () => end(undefined))
    // Gives its error to the callback, in spite of its type.
    socket.connect(to.port, to.address, ((e?: Error) => end(e === undefined || e === null ? socket.address().address : undefined)) as () => void)
  })
}
