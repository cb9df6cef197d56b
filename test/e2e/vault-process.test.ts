/** What becomes of a vault when its client is killed, and of a client when its vault is: with real processes. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { run, until, within } from '../kit/processes.ts'
import { conversation, hearEachOther, RealWorld } from '../kit/real-room.ts'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'

const onLinux = { skip: process.platform === 'linux' ? false : 'it looks into /proc' }

/** From the end of the vault to a seat in the room. */
const BACK_MS = 2000
/** A free machine starts Node about so often in that time: a busy one takes as many times longer for both. */
const STARTS = 35
/** What a busy machine adds to one of them is not in all; the client starts no more than these in a minute. */
const KILLS = 5

async function startOfNode(): Promise<number> {
  const began = performance.now()
  await within(20_000, 'start of Node', run(process.execPath, ['-e', '0']).exit)
  return performance.now() - began
}

test('a vault that is killed: its client is muted, says so, starts another and is back in the room within two seconds, heard', async (t) => {
  const w = await RealWorld.start(t)
  const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
  await conversation(a, b, w)
  const back: string[] = []
  let kept = false
  while (!kept && back.length < KILLS) {
    const start = await startOfNode()
    const before = a.client.vault.pid()!
    const { securityCode } = a.roster!
    const said = a.notes.length
    const killed = performance.now()
    process.kill(before, 'SIGKILL')
    await until(10_000, 'mute and a word about it', () => (a.roster!.phase === 'healing' && a.notes.slice(said).some((n) => n.startsWith('VAULT_STOPPED')) ? true : undefined), () => a.notes.join('\n'))
    await until(15_000, 'return to the room', () => (a.roster!.phase === 'member' ? true : undefined), () => a.notes.join('\n'))
    const took = performance.now() - killed
    // A stall in one of them is no busy machine.
    const most = Math.max(BACK_MS, STARTS * Math.min(start, await startOfNode()))
    kept = took <= most
    back.push(`${Math.round(took)} of ${Math.round(most)}`)
    await w.agreed([a, b])
    assert.notEqual(a.client.vault.pid(), before)
    assert.notEqual(a.roster!.securityCode, securityCode)
  }
  t.diagnostic(`back after ${back.join(', ')} ms`)
  await hearEachOther(a, b)
  assert.equal(a.roster!.members.length, 2)
  assert.ok(kept, `back after ${back.join(', ')} ms`)
})

test('a client that is killed takes its vault with it', onLinux, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-vault-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const ca = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, ca.server())
  t.after(() => server.stop())
  const client = await startClient(folder, 'ann', server.port, ca.member('ann'))
  t.after(() => client.stop())
  await client.shows(/vault: isolated process/)
  await client.shows(/connected to/)
  const [vault] = childrenOf(client.process.pid)
  assert.ok(vault !== undefined)
  assert.match(readFileSync(`/proc/${vault}/cmdline`, 'latin1'), /--permission/)
  client.process.signal('SIGKILL')
  await until(10_000, 'end of the vault', () => (existsSync(`/proc/${vault}`) ? undefined : true))
})

test('Ctrl-C to the whole group leaves the vault to its client: the leave is still signed', onLinux, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-vault-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const ca = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, ca.server())
  t.after(() => server.stop())
  const client = await startClient(folder, 'ann', server.port, ca.member('ann'))
  t.after(() => client.stop())
  await client.shows(/connected to/)
  const [vault] = childrenOf(client.process.pid)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.kill(vault!, signal)
  assert.equal(childrenOf(client.process.pid)[0], vault)
  client.process.signal('SIGINT')
  assert.equal(await within(20_000, 'end of the client', client.process.exit, client.process.tail), 0, client.process.tail())
  assert.doesNotMatch(client.process.output(), /VAULT_/)
  assert.equal(existsSync(`/proc/${vault}`), false)
})

test('the kernel sees the locks on every thread of the vault', onLinux, async (t) => {
  const w = await RealWorld.start(t)
  const a = await w.member('Ann')
  await a.connected()
  const { pid, report } = a.client.vault
  // A machine with swap and a small limit cannot lock memory: that is reported to its user, and is no fault of the vault.
  assert.deepEqual(report?.locks.filter((l) => !l.had && l.name !== 'memory never swapped'), [])
  const threads = readdirSync(`/proc/${pid()}/task`)
  assert.ok(threads.length >= 3)
  for (const thread of threads) {
    const status = readFileSync(`/proc/${pid()}/task/${thread}/status`, 'latin1')
    assert.match(status, /Seccomp:\t2\n/)
    assert.match(status, /NoNewPrivs:\t1\n/)
  }
  assert.match(readFileSync(`/proc/${pid()}/limits`, 'latin1'), /Max core file size +0 +0/)
  // Only root may look: that is what it is about.
  if (process.getuid?.() === 0) assert.equal(readFileSync(`/proc/${pid()}/environ`, 'latin1'), '')
  else assert.throws(() => readFileSync(`/proc/${pid()}/environ`))
})

/** Processes whose parent is that one. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc').filter((d) => /^\d+$/.test(d)).map(Number).filter((p) => {
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'latin1')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid
    } catch {
      return false
    }
  })
}
