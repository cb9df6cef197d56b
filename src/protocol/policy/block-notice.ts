/**
 * A signed word that a key is in wrong hands, or no longer so. It takes its holder out of running rooms and keeps it out.
 *
 *     version = 1 (1) ‖ kind (1: 0 block, 1 lift) ‖ len‖realm ‖ key (32) ‖ issued (8, Unix seconds) ‖ len‖reason, then as envelope.ts
 *
 * It counts in rooms that its signer owns (or holds the recovery key of), and everywhere when an authority signed that
 * stands above the certificate of the one meant.
 */
import type { UnixTime } from '../../base/brand.ts'
import { unixTime } from '../../base/brand.ts'
import { ByteReader, ByteWriter, fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import type { BlockNotice } from '../../model/block-notice.ts'
import { safeText } from '../../model/identity.ts'
import type { BasePolicy } from '../../model/policy.ts'
import { keyIdOf, openEnvelope, signEnvelope } from './envelope.ts'
import { NOTICE_LIMIT } from './limits.ts'

const LABEL = 'stc block notice v1'
const VERSION = 1
const KEY_ID = 32
const REASON_LIMIT = 200
/** How far two honest clocks may differ, seconds. A notice from further ahead would outlast every lift. */
const AHEAD_S = 600

export function signNotice(crypto: CryptoPort, n: Pick<BlockNotice, 'kind' | 'realm' | 'target' | 'issued' | 'reason'>, signer: Signer): Result<BlockNotice> {
  const target = fromHex(n.target)
  if (target?.length !== KEY_ID) return err('MLS_BLOCK_NOTICE', 'no key to block')
  const reason = safeText(n.reason, REASON_LIMIT)
  const body = new ByteWriter().u8(VERSION).u8(n.kind === 'block' ? 0 : 1).vec16(utf8(n.realm)).put(target).u64(BigInt(n.issued)).vec16(utf8(reason)).finish()
  return ok({ ...n, reason, by: keyIdOf(crypto, signer.spki), bytes: signEnvelope(LABEL, body, signer) })
}

/** Form, signature and, where `now` is given, that it is not from the future. Whether it counts is for `BlockList.blocks`. */
export function readNotice(crypto: CryptoPort, bytes: Uint8Array, realm: string, now?: UnixTime): Result<BlockNotice> {
  if (bytes.length > NOTICE_LIMIT) return err('MLS_TOO_LARGE', 'block notice')
  const r = new ByteReader(bytes)
  const version = r.u8()
  const kind = r.u8()
  const forRealm = fromUtf8(r.vec16())
  const target = toHex(r.take(KEY_ID))
  const issued = r.u64()
  const reason = fromUtf8(r.vec16())
  if (r.failed || version !== VERSION || kind > 1 || reason === undefined || safeText(reason, REASON_LIMIT) !== reason) return err('MLS_BLOCK_NOTICE', 'malformed')
  if (forRealm !== realm) return err('MLS_BLOCK_NOTICE', 'of another realm')
  if (now !== undefined && issued > BigInt(now + AHEAD_S)) return err('MLS_BLOCK_NOTICE', 'from the future')
  const by = openEnvelope(crypto, LABEL, r, 'MLS_BLOCK_NOTICE')
  return by.ok ? ok({ kind: kind === 0 ? 'block' : 'lift', realm, target, issued: unixTime(Number(issued)), reason, by: by.value, bytes: bytes.slice() }) : by
}

/** Who may block somebody in a room: its owners, its recovery key, and the authorities above that somebody's certificate. */
export const mayBlock = (by: string, base: BasePolicy, issuers: readonly string[]): boolean => base.owners.includes(by) || base.recovery === by || issuers.includes(by)

/** What a signer is to us: an authority that we trust, somebody who may block in a room that we know, or neither, as far as we know. */
export type SignerRank = 'authority' | 'owner' | 'nobody'

/** How many are kept; the oldest of a rank goes first. */
const KEPT: Readonly<Record<SignerRank, number>> = { authority: 10_000, owner: 5_000, nobody: 500 }
/** Of one signer who is no authority. */
const KEPT_OF_ONE = 100

/**
 * The newest notice of each signer about each key. Those of signers who may say nothing in any room that is known are kept too, for
 * another room may be theirs; but ranks do not drive each other out: anybody can make a thousand keys and sign with them.
 */
export class BlockList {
  /** By the key that is meant, then by the one that signed. */
  readonly #newest = new Map<string, Map<string, BlockNotice>>()
  /** By rank: `signer target`, oldest first. */
  readonly #order: Readonly<Record<SignerRank, Set<string>>> = { authority: new Set(), owner: new Set(), nobody: new Set() }

  /** False where as new a one is known. */
  learn(n: BlockNotice, rank: SignerRank = 'authority'): boolean {
    const about = this.#newest.get(n.target) ?? new Map<string, BlockNotice>()
    const known = about.get(n.by)
    const key = `${n.by} ${n.target}`
    for (const order of Object.values(this.#order)) order.delete(key)
    const order = this.#order[rank]
    order.add(key)
    if (known !== undefined && known.issued >= n.issued) return false
    this.#newest.set(n.target, about.set(n.by, n))
    const own = rank === 'authority' ? [] : [...order].filter((k) => k.startsWith(n.by))
    if (own.length > KEPT_OF_ONE) this.#drop(order, own[0]!)
    if (order.size > KEPT[rank]) this.#drop(order, order.values().next().value!)
    return true
  }
  #drop(order: Set<string>, key: string): void {
    order.delete(key)
    const [by, target] = key.split(' ') as [string, string]
    const about = this.#newest.get(target)
    about?.delete(by)
    if (about?.size === 0) this.#newest.delete(target)
  }
  /** The notice by which this key is blocked in a room of that policy. */
  blocks(keyId: string, base: BasePolicy, issuers: readonly string[]): BlockNotice | undefined {
    const about = this.#newest.get(keyId)
    return about === undefined ? undefined : [...about.values()].find((n) => n.kind === 'block' && mayBlock(n.by, base, issuers))
  }
  get all(): readonly BlockNotice[] {
    return [...this.#newest.values()].flatMap((about) => [...about.values()])
  }
}
