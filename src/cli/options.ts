/** What options of several commands have in common. */
import { InvalidArgumentError } from 'commander'
import { type UnixTime, unixTime } from '../base/brand.ts'

const DAYS_LIMIT = 3650

export const currentTime = (): UnixTime => unixTime(Math.floor(Date.now() / 1000))
export const collect = (value: string, before: readonly string[]): string[] => [...before, value]

export function wholeDays(text: string): number {
  const days = Number(text)
  if (!Number.isInteger(days) || days < 1 || days > DAYS_LIMIT) throw new InvalidArgumentError(`1 to ${DAYS_LIMIT} days.`)
  return days
}

/** A count of at least one: seconds, lines, people. */
export function atLeastOne(text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 1) throw new InvalidArgumentError('a whole number, 1 or more.')
  return n
}

export function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('a port, 1 to 65535.')
  return port
}

/** `host`, `host:port`, `[v6]:port`. */
export const hostAndPort = (usual: number) => (text: string): { host: string; port: number } => {
  const m = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(text)
  const port = Number(m?.[2] ?? usual)
  if (m === null || port < 1 || port > 65_535) throw new InvalidArgumentError('a host name or address, with :PORT when it is not the usual one; [..] around IPv6.')
  return { host: m[1]!.replace(/^\[|\]$/g, '').toLowerCase(), port }
}
