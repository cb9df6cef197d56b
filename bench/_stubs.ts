/** Process of stub members; orders come from the bench that started it, and it ends with it. */
import { StubMember, type StubPapers } from './_stub-member.ts'

export type StubOrder =
  | { readonly kind: 'join'; readonly members: readonly StubPapers[]; readonly room: string }
  /** How many of them speak from now on; the others are silent. */
  | { readonly kind: 'talk'; readonly talking: number }
  | { readonly kind: 'stop' }
export type StubReport = { readonly kind: 'joined' } | { readonly kind: 'failed'; readonly message: string }

const members: StubMember[] = []
const report = (r: StubReport): void => void process.send?.(r)

async function obey(o: StubOrder): Promise<void> {
  if (o.kind === 'join') {
    const added = o.members.map((papers, i) => new StubMember(papers, members.length + i + 1))
    members.push(...added)
    await Promise.all(added.map((m) => m.up))
    // The first makes the room; the others are let in by one commit.
    await added.shift()?.join(o.room)
    await Promise.all(added.map((m) => m.join(o.room)))
    report({ kind: 'joined' })
  } else if (o.kind === 'talk') for (const [i, m] of members.entries()) m.media.talking = i < o.talking
  else {
    await Promise.all(members.map((m) => m.client.stop()))
    process.exit(0)
  }
}

process.on('message', (o: StubOrder) => void obey(o).catch((e: unknown) => report({ kind: 'failed', message: e instanceof Error ? (e.stack ?? e.message) : String(e) })))
process.on('disconnect', () => process.exit(0))
