/** Application messages: there is one kind, a member's word which stream is its own. */
import { createApplicationMessage } from 'ts-mls/createMessage.js'
import { processPrivateMessage } from 'ts-mls/processMessages.js'
import { decryptSenderData } from 'ts-mls/privateMessage.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import type { Ssrc } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { decodeApplicationMessage, encodeApplicationMessage } from './codec.ts'
import { type GroupWorld, type Snapshot, guarded } from './snapshot.ts'
import { type StreamClaim, decodeAnnouncement, encodeAnnouncement, signStream, verifyStream } from './stream.ts'
import { leafAt } from './tree-check.ts'

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

/** `previous` is the epoch before, while its messages are still taken. */
export function receiveStep(world: GroupWorld, s: Snapshot, previous: Snapshot | undefined, bytes: Uint8Array): Promise<Result<{ readonly claim: StreamClaim; readonly next: Snapshot }>> {
  return guarded(async () => {
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
    const announcement = decodeAnnouncement(result.message)
    if (!announcement.ok) return announcement
    const { epochAuthenticator, ssrc, signature } = announcement.value
    if (!sameBytes(epochAuthenticator, epoch.state.keySchedule.epochAuthenticator)) return err('MLS_MESSAGE', 'its sender sees another group than we do')
    const claim: StreamClaim = { leaf: sender, ssrc, signature }
    if (!verifyStream(world.crypto, pm.groupId, claim, now)) return err('MLS_MESSAGE', 'the stream is not signed')
    const taken = takenBy(s, claim)
    if (taken !== undefined) return err('MLS_STREAM_TAKEN', `leaf ${taken}`)
    return ok({ claim, next: { ...s, state: result.newState, streams: withClaim(s, claim) } })
  })
}

/** The other leaf that announced this stream before. */
const takenBy = (s: Snapshot, claim: StreamClaim): number | undefined =>
  [...s.streams.values()].find((c) => c.ssrc === claim.ssrc && c.leaf !== claim.leaf)?.leaf

const withClaim = (s: Snapshot, claim: StreamClaim): Map<number, StreamClaim> => new Map([...s.streams, [claim.leaf, claim]])
