/** Known peers on disk: one JSON file, replaced as a whole: at once for what a person said, once for all that are met in one step. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { utf8 } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { type KnownPeer, compared, meet, standingOf } from '../model/acquaintance.ts'
import type { Identity } from '../model/identity.ts'
import type { Acquaintance } from '../model/roster.ts'
import { replaceFile } from './atomic-file.ts'

const PEERS_LIMIT = 10_000
const hex = z.string().regex(/^[0-9a-f]{64}$/)
const seconds = z.number().int().min(0)
const content = z.object({
  version: z.literal(1),
  peers: z.array(z.object({ keyId: hex, fingerprint: hex, person: z.string().max(1000), name: z.string().max(200), firstSeen: seconds, lastSeen: seconds, changed: z.boolean(), compared: z.boolean(), comparedAt: seconds.exactOptional(), blocked: z.literal(true).exactOptional() })).max(PEERS_LIMIT),
})

export class KnownPeers {
  readonly #file: string
  readonly #peers: Map<string, KnownPeer>
  #due = false
  /** What could not be written. */
  onFault: (message: string) => void = () => {}

  private constructor(file: string, peers: readonly KnownPeer[]) {
    this.#file = file
    this.#peers = new Map(peers.map((p) => [p.keyId, p]))
  }
  static open(file: string): Result<KnownPeers> {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      return code === 'ENOENT' ? ok(new KnownPeers(file, [])) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
    }
    try {
      const parsed = content.safeParse(JSON.parse(text))
      return parsed.success ? ok(new KnownPeers(file, parsed.data.peers)) : err('STORE_DAMAGED', file)
    } catch {
      return err('STORE_DAMAGED', file)
    }
  }

  get all(): readonly KnownPeer[] {
    return [...this.#peers.values()]
  }
  /** What this identity is to us; remembered. */
  meet(i: Identity, unix: number): Acquaintance {
    const { acquaintance, peer } = meet(this.#peers, i, unix)
    this.#put(peer)
    this.#writeSoon()
    return acquaintance
  }
  compared(keyId: string, unix: number): Acquaintance | undefined {
    const peer = this.#peers.get(keyId)
    if (peer === undefined) return undefined
    this.#put(compared(peer, unix))
    this.#write()
    return { kind: 'known', compared: true, comparedAt: unix }
  }
  /** What somebody is to us; not remembered. */
  standing(i: Identity): Acquaintance {
    return standingOf(this.#peers, i)
  }
  blocked(keyId: string): boolean {
    return this.#peers.get(keyId)?.blocked === true
  }
  /** False: nobody whom we know. */
  block(keyId: string, on: boolean): boolean {
    const peer = this.#peers.get(keyId)
    if (peer === undefined) return false
    const { blocked: _, ...rest } = peer
    this.#put(on ? { ...rest, blocked: true } : rest)
    this.#write()
    return true
  }

  #put(peer: KnownPeer): void {
    this.#peers.delete(peer.keyId)
    this.#peers.set(peer.keyId, peer)
    // Whoever was not compared and is longest away goes first.
    if (this.#peers.size > PEERS_LIMIT) this.#peers.delete([...this.#peers.values()].find((p) => !p.compared && p.blocked !== true)?.keyId ?? this.#peers.keys().next().value!)
  }

  /** A room of two hundred is met at once, before the phone is answered: one file, not two hundred. */
  #writeSoon(): void {
    if (this.#due) return
    this.#due = true
    queueMicrotask(() => {
      if (this.#due) this.#write()
    })
  }
  #write(): void {
    this.#due = false
    const written = replaceFile(this.#file, utf8(JSON.stringify({ version: 1, peers: this.all })))
    if (!written.ok) this.onFault(written.fault.message)
  }
}
