/** The address that means all of this machine's. */
import { createSocket } from 'node:dgram'

/** `::`, which takes IPv4 as well, or `0.0.0.0` where the system has no IPv6. */
export function anyAddress(): Promise<'::' | '0.0.0.0'> {
  return new Promise((resolve) => {
    const probe = createSocket({ type: 'udp6', ipv6Only: false })
    probe.once('error', () => {
      probe.close()
      resolve('0.0.0.0')
    })
    probe.bind({ address: '::', port: 0 }, () => {
      probe.close()
      resolve('::')
    })
  })
}

/** What to bind for an address of a configuration: `::` is every one that the system has. */
export const everyAddress = async (address: string, any = anyAddress): Promise<string> => (address === '::' ? await any() : address)
