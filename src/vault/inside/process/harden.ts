/**
 * Locks this process in, before it has a secret: each lock is set, then looked at by other means. What could not be had is in
 * the report and keeps nobody from starting; who sees the roster learns of the one that counts most (`isolated`).
 */
import type { VaultReport } from '../../api/border.ts'
import { filterProgram } from './filter.ts'
import type { Kernel } from './kernel.ts'

export type Lock = VaultReport['locks'][number]

// prctl(2)
const PR_GET_DUMPABLE = 3
const PR_SET_DUMPABLE = 4
const PR_GET_SECCOMP = 21
const PR_SET_NO_NEW_PRIVS = 38
const PR_GET_NO_NEW_PRIVS = 39
const SECCOMP_MODE_FILTER = 2
// seccomp(2)
const SECCOMP_SET_MODE_FILTER = 1
const SECCOMP_FILTER_FLAG_TSYNC = 1
// prlimit(2)
const RLIMIT_CORE = 4

const lock = (name: string, had: boolean, detail: string): Lock => ({ name, had, detail: had ? '' : detail })

/** All of Linux's locks, in this order: the later ones would forbid what the earlier ones need. */
export function lockLinux(kernel: Kernel): Lock[] {
  return [noDumps(kernel), noCore(kernel), noSwap(kernel), noNewPrivileges(kernel), noFiles(kernel), noSystemCalls(kernel)]
}

/** Neither a core file nor /proc/PID/mem nor ptrace(2) for others of the same user. */
function noDumps(k: Kernel): Lock {
  k.call('prctl', PR_SET_DUMPABLE, 0)
  return lock('not dumpable', k.call('prctl', PR_GET_DUMPABLE) === 0, 'prctl refused it')
}

function noCore(k: Kernel): Lock {
  k.call('prlimit64', 0, RLIMIT_CORE, room(16))
  const now = limit(k, RLIMIT_CORE)
  return lock('no core file', now?.soft === 0n && now.hard === 0n, 'the limit stays')
}

/** Memory is not locked: V8 gives pages back with madvise(2), which fails on locked ones, and ends the process then. So there has to be no swap. */
function noSwap(k: Kernel): Lock {
  // struct sysinfo: uptime (8) ‖ loads (24) ‖ total, free, shared, buffer RAM (32) ‖ total swap (8) …
  const info = room(128)
  const known = k.call('sysinfo', info) === 0
  const swap = new DataView(info.buffer).getBigUint64(64, true)
  return lock('memory never swapped', known && swap === 0n, 'this machine swaps: let the swap space be encrypted, or give the client MemorySwapMax=0')
}

function noNewPrivileges(k: Kernel): Lock {
  k.call('prctl', PR_SET_NO_NEW_PRIVS, 1)
  return lock('no new privileges', k.call('prctl', PR_GET_NO_NEW_PRIVS) === 1, 'prctl refused it')
}

/** What a ruleset of each version of Landlock's interface can forbid (linux/landlock.h): rights to files, to TCP ports, to other domains. */
function landlockRights(version: number): { readonly fs: bigint; readonly net: bigint; readonly scope: bigint; readonly size: number } {
  const bits = version >= 5 ? 16n : version >= 3 ? 15n : version >= 2 ? 14n : 13n
  return { fs: (1n << bits) - 1n, net: version >= 4 ? 3n : 0n, scope: version >= 6 ? 3n : 0n, size: version >= 6 ? 24 : version >= 4 ? 16 : 8 }
}

/** Landlock without a single exception, for this thread and all that it starts: threads that run our code. */
function noFiles(k: Kernel): Lock {
  const name = 'no files (Landlock)'
  const version = k.call('landlock_create_ruleset', 0, 0, 1)
  if (version < 1) return lock(name, false, 'the kernel has no Landlock')
  const { fs, net, scope, size } = landlockRights(version)
  const attributes = room(24)
  const view = new DataView(attributes.buffer)
  view.setBigUint64(0, fs, true)
  view.setBigUint64(8, net, true)
  view.setBigUint64(16, scope, true)
  const ruleset = k.call('landlock_create_ruleset', attributes, size, 0)
  const done = ruleset >= 0 && k.call('landlock_restrict_self', ruleset, 0) === 0
  if (ruleset >= 0) k.call('close', ruleset)
  return lock(name, done, 'the kernel refused the rules')
}

/** All threads at once. Believed when calls that would succeed do fail. */
function noSystemCalls(k: Kernel): Lock {
  const name = 'system calls (seccomp)'
  const program = filterProgram(k.arch)
  // struct sock_fprog: number of instructions (2, padded to 8) ‖ pointer (8).
  const description = room(16)
  const view = new DataView(description.buffer)
  view.setUint16(0, program.length / 8, true)
  view.setBigUint64(8, k.address(program), true)
  const set = k.call('seccomp', SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, description)
  if (set !== 0) return lock(name, false, set > 0 ? 'a thread could not be brought under it' : 'the kernel refused the filter')
  const refused = k.call('prctl', PR_GET_SECCOMP) === SECCOMP_MODE_FILTER && stillPossible(k).length === 0
  return lock(name, refused, `still possible: ${stillPossible(k).join(', ')}`)
}

/** Harmless calls that succeed in any process without a filter. */
function stillPossible(k: Kernel): string[] {
  const AF_UNIX = 1
  const SOCK_STREAM = 1
  const own = process.pid
  const tries = [
    ['socket', k.call('socket', AF_UNIX, SOCK_STREAM, 0)], ['dup', k.call('dup', 0)], ['kill', k.call('kill', own, 0)],
    ['process_vm_readv', k.call('process_vm_readv', own, 0, 0, 0, 0, 0)], ['pidfd_open', k.call('pidfd_open', own, 0)],
  ] as const
  return tries.filter(([, result]) => result >= 0).map(([name]) => name)
}

function limit(k: Kernel, which: number): { readonly soft: bigint; readonly hard: bigint } | undefined {
  const both = room(16)
  if (k.call('prlimit64', 0, which, 0, both) !== 0) return undefined
  const view = new DataView(both.buffer)
  return { soft: view.getBigUint64(0, true), hard: view.getBigUint64(8, true) }
}

/** Octets that stay where they are. */
const room = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(length))

/** Node's own permissions: what the process was started with and needs no more. Returns what it still has. */
export function dropPermissions(scopes: readonly string[]): string[] {
  const { permission } = process as { permission?: { has(scope: string): boolean; drop?(scope: string): void } }
  if (permission === undefined) return [...scopes]
  for (const scope of scopes) permission.drop?.(scope)
  return scopes.filter((s) => permission.has(s))
}

/** The locks without which another process of the same user could read the keys. */
export const ISOLATING: readonly string[] = ['not dumpable']
