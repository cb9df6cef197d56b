/**
 * Process of members with valid leaves that follow nothing: they say "applied" to whatever is ordered. One of
 * them may be a spy: a whole member that keeps its old keys when it is removed, and notes what it can still open.
 */
import os from 'node:os'
import { instant, type RoomName } from '../src/base/brand.ts'
import { openServerChannel } from '../src/client/channel/index.ts'
import { Connection } from '../src/client/connection.ts'
import type { ServerMessage, ServerWire } from '../src/protocol/wire/messages.ts'
import { scheduler, StubMember, type StubPapers, stubVault } from './_stub-member.ts'

export type BlindOrder =
  | { readonly kind: 'join'; readonly members: readonly StubPapers[]; readonly room: string; readonly suite: 'x-wing' | 'x25519' }
  | { readonly kind: 'spy'; readonly papers: StubPapers; readonly room: string }
  /** From now on the spy hears nothing of the group. */
  | { readonly kind: 'cling' }
  | { readonly kind: 'ask' }
  | { readonly kind: 'stop' }

export type BlindReport =
  | { readonly kind: 'joined' }
  | { readonly kind: 'failed'; readonly message: string }
  /** The newest change of the group as the first of these members received it, and the newest welcome. */
  | { readonly kind: 'seen'; readonly orderedAt: number; readonly commitOctets: number; readonly welcomeOctets: number; readonly spyOpenedAt: number }

const seen = { orderedAt: 0, commitOctets: 0, welcomeOctets: 0, seq: -1 }
const connections: Connection[] = []
let spy: StubMember | undefined

/** Joins once; resolves with the welcome. */
async function join(papers: StubPapers, room: string, suite: 'x-wing' | 'x25519'): Promise<void> {
  const { config } = papers
  const vault = stubVault(papers)
  const server = { host: config.server!.host, port: config.server!.port, name: config.server!.name ?? config.server!.host }
  const welcome = Promise.withResolvers<void>()
  const answer = async (m: ServerMessage): Promise<void> => {
    if (m.k === 'room-info') {
      const r = await vault.call('room.request', { room: room as RoomName, suite })
      if (r.ok) connection.send({ k: 'room-join', room, generation: m.generation, keyPackage: r.value.keyPackage })
    } else if (m.k === 'room-welcome') {
      seen.welcomeOctets = m.welcome.length
      connection.send({ k: 'room-applied', room, seq: m.seq })
      welcome.resolve()
    } else if (m.k === 'room-ordered') {
      note(m)
      connection.send({ k: 'room-applied', room, seq: m.seq })
    } else if (m.k === 'room-refused' || m.k === 'room-closed') welcome.reject(new Error(`${papers.name}: ${JSON.stringify(m)}`))
  }
  const connection = new Connection({
    open: () => openServerChannel({ vault, server, scheduler }), vault, scheduler, media: () => {}, chance: () => 0.5, agent: 'bench',
    suites: ['AEAD_AES_128_GCM'], fallback: { address: server.host, port: server.port }, hop: 1,
    onUp: () => void connection.send({ k: 'room-open', room }),
    onDown: (fault) => welcome.reject(new Error(`${papers.name}: ${fault.message}`)),
    onMessage: (m) => void answer(m),
  })
  connections.push(connection)
  void connection.start()
  await welcome.promise
}

function note(m: ServerWire['room-ordered']): void {
  if (m.seq <= seen.seq) return
  Object.assign(seen, { seq: m.seq, orderedAt: scheduler.now(), commitOctets: m.commit.length })
}

async function obey(o: BlindOrder): Promise<void> {
  if (o.kind === 'join') {
    await Promise.all(o.members.map((m) => join(m, o.room, o.suite)))
    process.send?.({ kind: 'joined' } satisfies BlindReport)
  } else if (o.kind === 'spy') {
    spy = new StubMember(o.papers, 77, { listens: true })
    await spy.up
    await spy.join(o.room)
    process.send?.({ kind: 'joined' } satisfies BlindReport)
  } else if (o.kind === 'cling') {
    if (spy !== undefined) spy.cling((m) => m.k === 'room-ordered' && note(m))
    process.send?.({ kind: 'joined' } satisfies BlindReport)
  } else if (o.kind === 'ask') {
    process.send?.({ kind: 'seen', orderedAt: seen.orderedAt, commitOctets: seen.commitOctets, welcomeOctets: seen.welcomeOctets, spyOpenedAt: spy?.media.openedAt ?? 0 } satisfies BlindReport)
  } else {
    for (const c of connections) void c.stop()
    scheduler.at(instant(scheduler.now() + 200), () => process.exit(0))
  }
}

// In a real conference they are other machines: they give way to the members that are measured.
os.setPriority(10)
process.on('message', (o: BlindOrder) => void obey(o).catch((e: unknown) => process.send?.({ kind: 'failed', message: e instanceof Error ? (e.stack ?? e.message) : String(e) } satisfies BlindReport)))
process.on('disconnect', () => process.exit(0))
