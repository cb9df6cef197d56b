/** The address by which other machines of the LAN reach this one. */
import { networkInterfaces } from 'node:os'

/** The first private IPv4 address of an interface that is up, else any other one; undefined without a network. */
export function lanAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((a) => a.family === 'IPv4' && !a.internal)
  const isPrivate = (address: string): boolean => /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address)
  return (all.find((a) => isPrivate(a.address)) ?? all[0])?.address
}
