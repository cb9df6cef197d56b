/**
 * Seals and opens frames: the hot path, on a thread of its own in production. Keys come in as commands from the
 * control part; a stream is taken only from the leaf that announced it.
 */
import { type Instant, type Ssrc, type UnixTime, unixTime } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import type { Clock } from '../../base/ports.ts'
import type { Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { leafOf } from '../../protocol/sframe/epoch.ts'
import { decodeHeader } from '../../protocol/sframe/header.ts'
import { SFrameSession } from '../../protocol/sframe/session.ts'
import type { Frame, FrameBatch } from '../api/frames.ts'
import { packBatches, unpackBatches } from '../api/packed-frames.ts'
import { CallEngine } from './call-engine.ts'
import { type FrameCommand, SFRAME_SUITE } from './frame-commands.ts'

const BATCH_LIMIT = 4096
const NEVER = unixTime(Number.MAX_SAFE_INTEGER)
/** An honest server has such a member removed within seconds. */
const STAYS_S = 10
const EMPTY = new Uint8Array(0)

interface MediaSession {
  readonly sframe: SFrameSession
  readonly streams: Map<number, Ssrc>
  ownLeaf: number
  readonly holders: Map<number, UnixTime>
  /** The earliest of others' ends. */
  firstEnd: UnixTime
  /** Blocked by a notice. */
  guarded: readonly number[]
  sealUntil?: Instant
  /** A step of the epochs that was refused: nothing is sealed or opened any more. */
  broken?: FaultCode
}

export class FrameEngine {
  readonly #crypto: CryptoPort
  readonly #clock: Clock
  readonly #sessions = new Map<number, MediaSession>()
  readonly #calls: CallEngine

  constructor(crypto: CryptoPort, clock: Clock) {
    this.#crypto = crypto
    this.#clock = clock
    this.#calls = new CallEngine(crypto, clock)
  }

  command(c: FrameCommand): void {
    if (c.op === 'begin') {
      this.#sessions.set(c.session, { sframe: new SFrameSession(this.#crypto, SFRAME_SUITE, c.codec), streams: new Map(), ownLeaf: -1, holders: new Map(), firstEnd: NEVER, guarded: [] })
      return
    }
    if (this.#calls.command(c)) return
    const session = this.#sessions.get(c.session)
    if (session === undefined) return c.op === 'epoch' ? void c.baseKey.fill(0) : undefined
    const now = this.#clock.now()
    switch (c.op) {
      case 'epoch':
        keep(session, session.sframe.addEpoch(c, now))
        // The members' keys follow from it: it is not needed again.
        c.baseKey.fill(0)
        return
      case 'confirm':
        keep(session, session.sframe.confirmEpoch(c.epoch, now))
        session.ownLeaf = c.ownLeaf
        session.streams.clear()
        for (const [leaf, ssrc] of c.streams) session.streams.set(leaf, ssrc)
        return
      case 'settle':
        session.sframe.settleEpoch(c.epoch)
        return
      case 'abandon':
        // Refused where nothing is pending, which is as good.
        session.sframe.abandonEpoch(c.epoch)
        return
      case 'stream':
        session.streams.set(c.leaf, c.ssrc)
        return
      case 'holders':
        session.holders.clear()
        for (const [leaf, until] of c.until) session.holders.set(leaf, until)
        session.firstEnd = unixTime(Math.min(NEVER, ...c.until.flatMap(([leaf, until]) => (leaf === session.ownLeaf ? [] : [until]))))
        return
      case 'guard':
        session.guarded = c.leaves
        if (c.until === undefined) delete session.sealUntil
        else session.sealUntil = c.until
        return
      case 'end':
        session.sframe[Symbol.dispose]()
        this.#sessions.delete(c.session)
    }
  }

  /** Wipes all keys. */
  end(): void {
    this.#calls.end()
    for (const session of this.#sessions.values()) session.sframe[Symbol.dispose]()
    this.#sessions.clear()
  }

  run(batch: FrameBatch): FrameBatch {
    const call = batch.frames.length > BATCH_LIMIT ? undefined : this.#calls.run(batch)
    if (call !== undefined) return call
    const session = this.#sessions.get(batch.session)
    const refusal = session === undefined ? 'VAULT_SESSION_UNKNOWN' : session.broken !== undefined ? session.broken : batch.frames.length > BATCH_LIMIT ? 'VAULT_BATCH' : undefined
    if (session === undefined || refusal !== undefined) return refuseAll(batch, refusal ?? 'VAULT_SESSION_UNKNOWN')
    const step = batch.op === 'seal' ? (f: Frame) => this.#seal(session, f) : (f: Frame) => this.#open(session, f)
    return { ...batch, frames: batch.frames.map(step) }
  }

  /** The answer to `packBatches`; empty where that is not what was asked. */
  runPacked(packed: Uint8Array): Uint8Array {
    return packBatches((unpackBatches(packed) ?? []).map((b) => this.run(b)))
  }

  #seal(session: MediaSession, frame: Frame): Frame {
    const announced = session.streams.get(session.ownLeaf)
    if (announced !== frame.ssrc) return refused(frame, announced === undefined ? 'VAULT_FRAME_UNANNOUNCED' : 'VAULT_FRAME_WRONG_STREAM')
    // Somebody whose certificate ended, or was revoked, is still there: the server does not have it removed.
    if (this.#clock.unix() > session.firstEnd + STAYS_S) return refused(frame, 'VAULT_MEMBER_STAYS')
    if (session.sealUntil !== undefined && this.#clock.now() > session.sealUntil) return refused(frame, 'VAULT_FRAME_BLOCKED')
    const sealed = session.sframe.seal(frame.data, frame.ssrc, frame.timestamp, this.#clock.now())
    return sealed.ok ? { ssrc: frame.ssrc, timestamp: frame.timestamp, data: sealed.frame } : refused(frame, sealed.code)
  }

  #open(session: MediaSession, frame: Frame): Frame {
    const wrong = this.#wrongStream(session, frame)
    if (wrong !== undefined) return wrong
    const opened = session.sframe.open(frame.data, frame.ssrc, frame.timestamp, this.#clock.now())
    if (opened.ok) return { ssrc: frame.ssrc, timestamp: frame.timestamp, data: opened.plaintext, leaf: opened.leaf }
    return refused(frame, opened.code, opened.leaf)
  }

  /** Looked at before the frame is opened, so that what is refused for its stream takes no place in the replay window. */
  #wrongStream(session: MediaSession, frame: Frame): Frame | undefined {
    const header = decodeHeader(frame.data)
    const leaf = header.ok ? leafOf(header.value.kid) : undefined
    if (!header.ok || leaf === undefined || leaf === session.ownLeaf) return undefined
    if (this.#clock.unix() > (session.holders.get(leaf) ?? NEVER)) return refused(frame, 'VAULT_MEMBER_ENDED', leaf)
    if (session.guarded.includes(leaf)) return refused(frame, 'VAULT_FRAME_BLOCKED', leaf)
    const announced = session.streams.get(leaf)
    if (announced === frame.ssrc) return undefined
    // Who is at that leaf in an epoch still to come is not known.
    if (session.sframe.isUnknown(header.value.kid, this.#clock.now())) return refused(frame, 'SFRAME_UNKNOWN_EPOCH', leaf)
    return refused(frame, announced === undefined ? 'VAULT_FRAME_UNANNOUNCED' : 'VAULT_FRAME_WRONG_STREAM', leaf)
  }
}

const keep = (session: MediaSession, done: Result<void>): void => {
  if (!done.ok) session.broken ??= done.fault.code
}

const refused = (frame: Frame, fault: FaultCode, leaf?: number): Frame => ({ ssrc: frame.ssrc, timestamp: frame.timestamp, data: EMPTY, fault, ...(leaf === undefined ? {} : { leaf }) })

/** A fault for each frame of a batch. */
export const refuseAll = (batch: FrameBatch, fault: FaultCode): FrameBatch => ({ ...batch, frames: batch.frames.map((f) => refused(f, fault)) })
