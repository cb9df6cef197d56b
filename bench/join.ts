/**
 * `npm run bench -- join [--members 2,10,50,200] [--repeat 3]` (`--identities`: what names, lists and enrolments cost, _identities.ts): from dialling to the first decoded sound, and from a
 * host's removal to deafness. The joiner, the nominee and up to three members are whole clients in processes of
 * their own; the others have valid leaves and say "applied" to everything.
 */
import { fileURLToPath } from 'node:url'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { Child } from '../src/demo/child.ts'
import { freePort } from '../src/demo/ports.ts'
import { setStage, type Stage } from '../src/demo/stage.ts'
import { listOption, numberOption, pause, quantile, round } from './_args.ts'
import type { BlindOrder, BlindReport } from './_blind.ts'
import { childrenOf, load, threadMs } from './_cpu.ts'
import type { MemberOrder, MemberReport } from './_member.ts'
import { BenchProcess } from './_process.ts'
import { identities } from './_identities.ts'
import type { BenchTable } from './run.ts'

const ROOM = '100'
const LIMIT_MS = 40_000
/** Until everybody's word about the last change has gone round. */
const QUIET_MS = 2500
const WHOLE = 4
const serverEntry = fileURLToPath(new URL('./_server.ts', import.meta.url))

const verbose = process.env['STC_BENCH_VERBOSE'] !== undefined
type Member = BenchProcess<MemberOrder, MemberReport>
type Blind = BenchProcess<BlindOrder, BlindReport>
interface Room {
  readonly members: number
  readonly suite: 'x-wing' | 'x25519'
  readonly server: Child
  readonly whole: readonly Member[]
  readonly blind: Blind
  readonly joiner: Member
  readonly spyName: string
}
type Row = Record<string, string | number>

export async function run(args: readonly string[]): Promise<BenchTable> {
  if (args.includes('--identities')) return identities(args)
  // Filling the room is not measured and takes its time on a busy machine.
  process.env['STC_BENCH_PATIENT'] = '1'
  const repeat = numberOption(args, 'repeat', 3)
  const rows: Row[] = []
  for (const members of listOption(args, 'members', [2, 10, 50, 200])) rows.push(await measureRoom(members, repeat))
  return { name: 'join', rows, remarks: [`medians of ${repeat} joins, one removal; CPU of the main and key threads; load of the machine ${load()}`] }
}

async function measureRoom(members: number, repeat: number): Promise<Row> {
  using stage = must(setStage(createNodeCrypto(), { serverPort: await freePort(0), names: Array.from({ length: members }, (_, i) => `member-${i}.`), phones: [] }))
  const room = await fill(stage, members)
  try {
    const joins: Row[] = []
    for (let i = 0; i < repeat; i++) joins.push(await measureJoin(room))
    const row: Row = { members, suite: room.suite }
    for (const key of Object.keys(joins[0] ?? {})) row[key] = round(quantile(joins.map((j) => Number(j[key])), 0.5))
    return { ...row, ...(members > WHOLE + 1 ? await measureRemoval(room) : {}) }
  } finally {
    await Promise.all([room.joiner, room.blind, ...room.whole].map((p) => p.stop()))
    await room.server.stop()
  }
}

/** Everybody but the joiner in the room. */
async function fill(stage: Stage, members: number): Promise<Room> {
  const suite = members > 50 ? ('x25519' as const) : ('x-wing' as const)
  const papers = stage.clients.map((c) => ({
    ...c, config: { ...c.config, rooms: { default: { suite, codec: 'g722' as const, forwarding: members > 16 ? 'loudest' as const : 'all' as const, maximumMembers: members, admit: 'anchors' as const } } },
  }))
  const server = new Child('server', serverEntry, { role: 'server', configFile: stage.serverConfig })
  await server.next('up', LIMIT_MS)
  const start = async (i: number): Promise<Member> => {
    const process: Member = new BenchProcess('./_member.ts')
    process.order({ kind: 'start', ...papers[i]!, seed: i + 1 })
    await process.next('up', LIMIT_MS)
    return process
  }
  const whole: Member[] = []
  for (let i = 0; i < Math.min(WHOLE, members - 1); i++) {
    const member = await start(i)
    const joined = member.next('joined', LIMIT_MS)
    member.order({ kind: 'dial', number: `8${ROOM}` })
    await joined
    whole.push(member)
    if (verbose) member.on((r) => console.error(`member ${i}:`, r))
  }
  const blind: Blind = new BenchProcess('./_blind.ts')
  const rest = papers.slice(WHOLE, members - 1)
  const spy = rest.pop()
  // The last one alone: its welcome is what a joiner gets.
  for (const some of [rest.slice(0, -1), rest.slice(-1)].filter((s) => s.length > 0)) {
    blind.order({ kind: 'join', members: some, room: ROOM, suite })
    await blind.next('joined', LIMIT_MS)
  }
  if (spy !== undefined) {
    blind.order({ kind: 'spy', papers: spy, room: ROOM })
    await blind.next('joined', LIMIT_MS)
  }
  return { members, suite, server, whole, blind, joiner: await start(members - 1), spyName: spy?.name ?? '' }
}

/** Of the client's main thread and its vault, all of it where it is a process of its own. */
const signalMs = (pid: number): number => {
  const threads = threadMs(pid)
  const vault = childrenOf(pid).reduce((sum, child) => sum + [...threadMs(child).values()].reduce((a, b) => a + b, 0), 0)
  return (threads.get('node-MainThread') ?? 0) + (threads.get('stc-keys') ?? 0) + vault
}

async function measureJoin({ joiner, whole, server, blind, members }: Room): Promise<Row> {
  await pause(QUIET_MS)
  const pids = { joiner: joiner.pid, nominee: whole[0]!.pid, member: whole.at(-1)!.pid, server: server.pid }
  const before = Object.values(pids).map(signalMs)
  const joined = joiner.next('joined', LIMIT_MS)
  const heard = joiner.next('heard', LIMIT_MS)
  joiner.order({ kind: 'dial', number: `8${ROOM}` })
  const joinedMs = (await joined).afterMs
  const heardMs = (await heard).afterMs
  await pause(1000)
  const used = Object.values(pids).map((pid, i) => signalMs(pid) - before[i]!)
  const seen = await ask(blind)
  joiner.order({ kind: 'hangup' })
  return {
    'answered ms': joinedMs, 'first sound ms': heardMs, 'joiner CPU ms': used[0]!, 'nominee CPU ms': used[1]!, 'member CPU ms': used[2]!, 'server CPU ms': used[3]!,
    ...(members > WHOLE + 2 ? { 'welcome octets': seen.welcomeOctets, 'commit octets': seen.commitOctets } : {}),
  }
}

async function ask(blind: Blind): Promise<Extract<BlindReport, { kind: 'seen' }>> {
  const answer = blind.next('seen', LIMIT_MS)
  blind.order({ kind: 'ask' })
  return answer
}

async function measureRemoval({ whole, blind, spyName }: Room): Promise<Row> {
  await pause(QUIET_MS)
  blind.order({ kind: 'cling' })
  await blind.next('joined', LIMIT_MS)
  const clicked = whole[0]!.next('clicked', LIMIT_MS)
  const epochs = whole.map((m) => m.next('epoch', LIMIT_MS))
  whole[0]!.order({ kind: 'remove', name: spyName })
  const { at } = await clicked
  const slowest = Math.max(...(await Promise.all(epochs)).map((e) => e.at))
  await pause(1000)
  const { orderedAt, spyOpenedAt } = await ask(blind)
  return { 'click to order ms': round(orderedAt - at), 'order to last frame opened ms': round(spyOpenedAt - orderedAt), 'order to all senders in new epoch ms': round(slowest - orderedAt) }
}
