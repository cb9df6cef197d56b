/** Addresses that one host has. */
import { isIP } from 'node:net'

/** A numeric address to which a datagram for one host can go: not a name, a wildcard, a group or a broadcast. */
export function isUnicast(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  if (family === 6) return !/^(ff|::$|0*:(0*:)*0*$)/i.test(address)
  const first = Number(address.slice(0, address.indexOf('.')))
  return first > 0 && first < 224
}
