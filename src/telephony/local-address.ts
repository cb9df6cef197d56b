/** Which of our addresses a peer can reach, when a socket is bound to all of them. */
import os from 'node:os'
import type { SipFlow } from './transport.ts'

/** 127.0.0.0/8 and ::1: never routed, so nobody else can be behind it. */
export const isLoopback = (address: string): boolean => address === '::1' || /^127\.[0-9.]+$/.test(address) || /^::ffff:127\.[0-9.]+$/.test(address)

/** One of this machine's own. */
export const isOwnAddress = (address: string): boolean => isLoopback(address) || Object.values(os.networkInterfaces()).some((list) => list?.some((a) => a.address === address))

/** `0.0.0.0` and `::`: everywhere, or the hold of RFC 2543. */
export const isUnspecified = (address: string): boolean => /^(?:0\.0\.0\.0|[0:]+)$/.test(address)
const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'

/** The host for Via and Contact; IPv6 in brackets. */
export function localHostFor(flow: SipFlow): string {
  const address = isWildcard(flow.local.address) ? nearest(flow.remote.address) : flow.local.address
  return address.includes(':') ? `[${address}]` : address
}

/** Our address in the peer's network, else the first that is not loopback. */
function nearest(peer: string): string {
  const own = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []).filter((a) => a.address.includes(':') === peer.includes(':'))
  const same = own.find((a) => a.address === peer || inNetwork(a.cidr, peer))
  return (same ?? own.find((a) => !a.internal) ?? own[0])?.address ?? '127.0.0.1'
}

/** Only IPv4: an IPv6 peer is reached from any of our global addresses. */
function inNetwork(cidr: string | null, peer: string): boolean {
  const [network, bits] = (cidr ?? '').split('/')
  if (network === undefined || bits === undefined || network.includes(':') || peer.includes(':')) return false
  const number = (address: string): number => address.split('.').reduce((n, part) => n * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  return Math.floor(number(network) / size) === Math.floor(number(peer) / size)
}
