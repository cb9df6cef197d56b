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
const NOTICES_KEPT = 10_000

export function signNotice(crypto: CryptoPort, n: Pick<BlockNotice, 'kind' | 'realm' | 'target' | 'issued' | 'reason'>, signer: Signer): Result<BlockNotice> {
  const target = fromHex(n.target)
  if (target?.length !== KEY_ID) return err('MLS_BLOCK_NOTICE', 'no key to block')
  const reason = safeText(n.reason, REASON_LIMIT)
  const body = new ByteWriter().u8(VERSION).u8(n.kind === 'block' ? 0 : 1).vec16(utf8(n.realm)).put(target).u64(BigInt(n.issued)).vec16(utf8(reason)).finish()
  return ok({ ...n, reason, by: keyIdOf(crypto, signer.spki), bytes: signEnvelope(LABEL, body, signer) })
}

/** Form, signature and time. Whether it counts is for `BlockList.blocks`. */
export function readNotice(crypto: CryptoPort, bytes: Uint8Array, realm: string, now: UnixTime): Result<BlockNotice> {
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
  if (issued > BigInt(now + AHEAD_S)) return err('MLS_BLOCK_NOTICE', 'from the future')
  const by = openEnvelope(crypto, LABEL, r, 'MLS_BLOCK_NOTICE')
  return by.ok ? ok({ kind: kind === 0 ? 'block' : 'lift', realm, target, issued: unixTime(Number(issued)), reason, by: by.value, bytes: bytes.slice() }) : by
}

/** Who may block somebody in a room: its owners, its recovery key, and the authorities above that somebody's certificate. */
export const mayBlock = (by: string, base: BasePolicy, issuers: readonly string[]): boolean => base.owners.includes(by) || base.recovery === by || issuers.includes(by)

/** The newest notice of each signer about each key. Notices of those who may not say so are kept too: another room may be theirs. */
export class BlockList {
  readonly #newest = new Map<string, BlockNotice>()

  /** False where as new a one is known. */
  learn(n: BlockNotice): boolean {
    const key = `${n.target} ${n.by}`
    const known = this.#newest.get(key)
    if (known !== undefined && known.issued >= n.issued) return false
    this.#newest.delete(key)
    this.#newest.set(key, n)
    if (this.#newest.size > NOTICES_KEPT) this.#newest.delete(this.#newest.keys().next().value!)
    return true
  }
  /** The notice by which this key is blocked in a room of that policy. */
  blocks(keyId: string, base: BasePolicy, issuers: readonly string[]): BlockNotice | undefined {
    if (this.#newest.size === 0) return undefined
    return [...this.#newest.values()].find((n) => n.target === keyId && n.kind === 'block' && mayBlock(n.by, base, issuers))
  }
  get all(): readonly BlockNotice[] {
    return [...this.#newest.values()]
  }
}
