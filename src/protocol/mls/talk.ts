/**
 * Application messages, by their first octet:
 *
 *     1  which stream is its sender's (stream.ts)
 *     2  a red flag:      len‖text
 *     3  a block notice:  len‖notice (protocol/policy/block-notice.ts), passed on so that the server cannot keep it from anybody
 *     4  its phone's leg:  len‖one octet, of PHONE_LEGS
 *
 * Any other is a kind of a later version: whoever does not know it passes over it, whatever it contains.
 */
import { createApplicationMessage } from 'ts-mls/createMessage.js'
import { processPrivateMessage } from 'ts-mls/processMessages.js'
import { decryptSenderData } from 'ts-mls/privateMessage.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import type { Ssrc } from '../../base/brand.ts'
import { ByteReader, ByteWriter, fromUtf8, sameBytes, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { equalConstantTime } from '../../base/secret.ts'
import { safeText } from '../../model/identity.ts'
import type { PhoneLeg } from '../../model/roster.ts'
import { decodeApplicationMessage, encodeApplicationMessage } from './codec.ts'
import { type GroupWorld, type Snapshot, guarded } from './snapshot.ts'
import { type StreamClaim, decodeAnnouncement, encodeAnnouncement, signStream, verifyStream } from './stream.ts'
import { leafAt } from './tree-check.ts'

/** Characters of a red flag. */
const FLAG_LIMIT = 200
const KIND = { stream: 1, flag: 2, notice: 3, leg: 4 } as const
const KINDS: ReadonlySet<number> = new Set(Object.values(KIND))
const PHONE_LEGS: readonly PhoneLeg[] = ['local', 'encrypted', 'plain-lan']

export type Word = { readonly kind: 'flag'; readonly text: string } | { readonly kind: 'notice'; readonly notice: Uint8Array } | { readonly kind: 'leg'; readonly leg: PhoneLeg }
export type Heard = { readonly kind: 'stream'; readonly claim: StreamClaim } | ({ readonly leaf: number } & (Word | { readonly kind: 'unknown' }))

export function announceStep(world: GroupWorld, s: Snapshot, ssrc: Ssrc): Promise<Result<{ readonly message: Uint8Array; readonly next: Snapshot }>> {
  return guarded(async () => {
    const own = s.state.privatePath.leafIndex
    const claim = signStream(world.crypto, s.state.groupContext.groupId, own, ssrc, s.state.signaturePrivateKey)
    const taken = takenBy(s, claim)
    if (taken !== undefined) return err('MLS_STREAM_TAKEN', `leaf ${taken}`)
    const body = encodeAnnouncement({ epochAuthenticator: s.state.keySchedule.epochAuthenticator, ssrc, signature: claim.signature })
    const { newState: state, privateMessage } = await createApplicationMessage(s.state, body, s.suite.impl)
    return ok({ message: encodeApplicationMessage(privateMessage), next: { ...s, state, streams: withClaim(s, claim) } })
  })
}

export function sayStep(s: Snapshot, word: Word): Promise<Result<{ readonly message: Uint8Array; readonly next: Snapshot }>> {
  return guarded(async () => {
    const body = new ByteWriter().u8(KIND[word.kind]).vec16(contentOf(word)).finish()
    const { newState: state, privateMessage } = await createApplicationMessage(s.state, body, s.suite.impl)
    return ok({ message: encodeApplicationMessage(privateMessage), next: { ...s, state } })
  })
}

/** `previous` is the epoch before, while its messages are still taken. */
export function receiveStep(world: GroupWorld, s: Snapshot, previous: Snapshot | undefined, bytes: Uint8Array): Promise<Result<{ readonly heard: Heard; readonly next: Snapshot }>> {
  return guarded<{ readonly heard: Heard; readonly next: Snapshot }>(async () => {
    const message = decodeApplicationMessage(bytes)
    if (!message.ok) return message
    const pm = message.value
    if (!sameBytes(pm.groupId, s.state.groupContext.groupId)) return err('MLS_WRONG_GROUP')
    const epoch = [s, previous].find((e) => e?.state.groupContext.epoch === pm.epoch)
    if (epoch === undefined) return err('MLS_WRONG_EPOCH', `${pm.epoch} instead of ${s.state.groupContext.epoch}`)
    const sender = (await decryptSenderData(pm, epoch.state.keySchedule.senderDataSecret, s.suite.impl))?.leafIndex
    if (sender === undefined) return err('MLS_MESSAGE', 'no sender')
    const leaf = leafAt(epoch.state.ratchetTree, sender)?.signaturePublicKey
    const now = leafAt(s.state.ratchetTree, sender)?.signaturePublicKey
    if (leaf === undefined || now === undefined || !sameBytes(leaf, now)) return err('MLS_MESSAGE', 'its sender is no longer a member')
    // The library verifies the sender's signature.
    const result = await processPrivateMessage(s.state, pm, emptyPskIndex, s.suite.impl)
    if (result.kind !== 'applicationMessage') return err('MLS_NOT_PUBLIC_COMMIT')
    const next = { ...s, state: result.newState }
    const [kind] = result.message
    if (kind !== undefined && !KINDS.has(kind)) return ok({ heard: { kind: 'unknown', leaf: sender }, next })
    if (kind !== KIND.stream) {
      const word = decodeWord(result.message)
      return word.ok ? ok({ heard: { leaf: sender, ...word.value }, next }) : word
    }
    const claim = claimIn(world, s, { sender, signatureKey: now, epoch, groupId: pm.groupId, body: result.message })
    return claim.ok ? ok({ heard: { kind: 'stream', claim: claim.value }, next: { ...next, streams: withClaim(s, claim.value) } }) : claim
  })
}

function contentOf(word: Word): Uint8Array {
  if (word.kind === 'flag') return utf8(safeText(word.text, FLAG_LIMIT))
  return word.kind === 'notice' ? word.notice : Uint8Array.of(PHONE_LEGS.indexOf(word.leg))
}

function decodeWord(body: Uint8Array): Result<Word> {
  const r = new ByteReader(body)
  const kind = r.u8()
  const content = r.vec16().slice()
  if (!r.done) return err('MLS_MESSAGE', 'malformed')
  if (kind === KIND.leg) {
    const leg = content.length === 1 ? PHONE_LEGS[content[0]!] : undefined
    return leg === undefined ? err('MLS_MESSAGE', 'malformed') : ok({ kind: 'leg', leg })
  }
  if (kind === KIND.notice) return ok({ kind: 'notice', notice: content })
  const text = fromUtf8(content)
  return text === undefined || safeText(text, FLAG_LIMIT) !== text ? err('MLS_MESSAGE', 'malformed') : ok({ kind: 'flag', text })
}

interface Announced {
  readonly sender: number
  readonly signatureKey: Uint8Array
  readonly epoch: Snapshot
  readonly groupId: Uint8Array
  readonly body: Uint8Array
}

function claimIn(world: GroupWorld, s: Snapshot, a: Announced): Result<StreamClaim> {
  const announcement = decodeAnnouncement(a.body)
  if (!announcement.ok) return announcement
  const { epochAuthenticator, ssrc, signature } = announcement.value
  if (!equalConstantTime(epochAuthenticator, a.epoch.state.keySchedule.epochAuthenticator)) return err('MLS_MESSAGE', 'its sender sees another group than we do')
  const claim: StreamClaim = { leaf: a.sender, ssrc, signature }
  if (!verifyStream(world.crypto, a.groupId, claim, a.signatureKey)) return err('MLS_MESSAGE', 'the stream is not signed')
  const taken = takenBy(s, claim)
  return taken === undefined ? ok(claim) : err('MLS_STREAM_TAKEN', `leaf ${taken}`)
}

/** The other leaf that announced this stream before. */
const takenBy = (s: Snapshot, claim: StreamClaim): number | undefined =>
  [...s.streams.values()].find((c) => c.ssrc === claim.ssrc && c.leaf !== claim.leaf)?.leaf

const withClaim = (s: Snapshot, claim: StreamClaim): Map<number, StreamClaim> => new Map([...s.streams, [claim.leaf, claim]])
