/**
 * Reads the memory of processes that it has started, as any program of the same user could: `node memory-scan.ts COMMAND…` runs the
 * command as its child, passes its lines on, and answers orders, lines of JSON on standard input: where do these octets stand? Report 0 is the end of
 * the command.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { createInterface } from 'node:readline'

export interface ScanOrder {
  readonly id: number
  readonly pid: number
  /** By name, hex. */
  readonly needles: readonly (readonly [name: string, hex: string])[]
  /** This core file instead of the living memory. */
  readonly core?: string
}
export interface ScanReport {
  readonly id: number
  readonly found: readonly string[]
  readonly octets: number
  /** Why it could not be read. */
  readonly refused?: string
}

const STEP = 8 << 20
/** Needles may lie across two steps. */
const OVERLAP = 4096
const PIECE = 64 << 10
const ZEROS = Buffer.alloc(PIECE)

/** Everything of that process that can be read. Throws when nothing can. */
export function scanMemory(pid: number, needles: ScanOrder['needles']): Omit<ScanReport, 'id'> {
  const maps = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n').filter((l) => / r...? |^\S+ r/.test(l) && !/\[v(var|syscall)/.test(l))
  const fd = openSync(`/proc/${pid}/mem`, 'r')
  try {
    const search = new Search(needles)
    for (const line of maps) {
      const [from, to] = line.split(' ')[0]!.split('-').map((x) => BigInt(`0x${x}`)) as [bigint, bigint]
      search.range(fd, from, to)
    }
    return search.report()
  } finally {
    closeSync(fd)
  }
}

function scanFile(file: string, needles: ScanOrder['needles']): Omit<ScanReport, 'id'> {
  const fd = openSync(file, 'r')
  try {
    const search = new Search(needles)
    search.range(fd, 0n, 1n << 40n)
    return search.report()
  } finally {
    closeSync(fd)
  }
}

class Search {
  /** All needles in one pass: most places are no start of any. */
  readonly #starts = new Uint8Array(0x10000)
  readonly #byStart = new Map<number, (readonly [string, Buffer])[]>()
  readonly #buffer = Buffer.alloc(STEP)
  readonly #found = new Set<string>()
  #octets = 0
  constructor(needles: ScanOrder['needles']) {
    for (const [name, hex] of needles) {
      const octets = Buffer.from(hex, 'hex')
      const start = octets.readUInt16LE()
      this.#starts[start] = 1
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), [name, octets]])
    }
  }
  range(fd: number, from: bigint, to: bigint): void {
    for (let at = from; at < to; ) {
      const wanted = Number(to - at < BigInt(STEP) ? to - at : BigInt(STEP))
      let got = 0
      try {
        got = readSync(fd, this.#buffer, 0, wanted, at as unknown as number)
      } catch {
        // Reserved, not there: the next range.
      }
      if (got <= 0) return
      this.#octets += got
      this.#look(got)
      at += BigInt(got > OVERLAP && at + BigInt(got) < to ? got - OVERLAP : got)
    }
  }
  /** Most of what is mapped was never used, and is zero. */
  #look(length: number): void {
    for (let from = 0; from < length; from += PIECE) {
      const to = Math.min(length, from + PIECE)
      if (this.#buffer.compare(ZEROS, 0, to - from, from, to) !== 0) this.#lookAt(from, Math.min(length - 1, to), length)
    }
  }
  #lookAt(from: number, to: number, length: number): void {
    const seen = this.#buffer
    const starts = this.#starts
    for (let i = from; i < to; i++) {
      const start = seen[i]! | (seen[i + 1]! << 8)
      if (starts[start] === 0) continue
      for (const [name, octets] of this.#byStart.get(start)!) if (i + octets.length <= length && octets.compare(seen, i, i + octets.length) === 0) this.#found.add(name)
    }
  }
  report(): Omit<ScanReport, 'id'> {
    return { found: [...this.#found].sort(), octets: this.#octets }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [command, ...args] = process.argv.slice(2)
  const child = spawn(command!, args, { stdio: ['pipe', 'inherit', 'inherit'] })
  child.on('exit', (_, signal) => process.stdout.write(`${JSON.stringify({ id: 0, found: [], octets: 0, refused: signal ?? 'exit' } satisfies ScanReport)}\n`))
  const answer = (id: number, r: Omit<ScanReport, 'id'>): void => void process.stdout.write(`${JSON.stringify({ id, ...r })}\n`)
  createInterface(process.stdin).on('line', (line) => {
    const order = JSON.parse(line) as ScanOrder
    try {
      answer(order.id, order.core === undefined ? scanMemory(order.pid, order.needles) : scanFile(order.core, order.needles))
    } catch (e) {
      answer(order.id, { found: [], octets: 0, refused: (e as Error).message })
    }
  }).on('close', () => {
    child.on('exit', () => process.exit(0))
    child.stdin.end()
    if (child.exitCode !== null || child.signalCode !== null) process.exit(0)
  })
}
