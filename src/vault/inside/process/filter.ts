/**
 * The seccomp filter of the vault, as a program of classic BPF over `struct seccomp_data` (seccomp(2)):
 *
 *   nr (4) ‖ architecture (4) ‖ instruction pointer (8) ‖ six arguments (8 each)
 *
 * A list of what is allowed: memory, threads, clocks, and reading and writing what is open already. Nothing that opens a file or a
 * socket, starts a program, looks at another process or changes a limit. Everything else fails with EPERM.
 */
import { type Arch, type SyscallName, syscallNumber } from './syscalls.ts'

// Instructions (linux/bpf_common.h): load a word at an offset, jump if equal, jump if any bit, and return.
const LOAD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_ANY_BIT = 0x45
const RETURN = 0x06

const KILL_PROCESS = 0x8000_0000
const ALLOW = 0x7fff_0000
const errno = (code: number): number => 0x0005_0000 | code
const EPERM = 1
const ENOSYS = 38

/** linux/audit.h: both little-endian and of 64 bits. */
const AUDIT_ARCH: Readonly<Record<Arch, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 }
const NR = 0
const ARCH = 4
const argument = (i: number): number => 16 + 8 * i

const PLAIN: readonly SyscallName[] = [
  'read', 'write', 'readv', 'writev', 'close', 'fstat', 'lseek', 'mmap', 'mprotect', 'munmap', 'brk', 'mremap', 'madvise', 'pkey_mprotect',
  'rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'sigaltstack', 'restart_syscall', 'shutdown', 'getsockname', 'getsockopt', 'poll', 'ppoll',
  'epoll_create1', 'epoll_ctl', 'epoll_wait', 'epoll_pwait', 'eventfd2', 'pipe2', 'sched_yield', 'sched_getaffinity', 'getcpu', 'nanosleep', 'clock_nanosleep',
  'clock_gettime', 'clock_getres', 'gettimeofday', 'getrusage', 'uname', 'sysinfo', 'getpid', 'gettid', 'getuid', 'geteuid', 'getgid', 'getegid',
  // Node asks for these as a thread starts, V8's locks as they are made.
  'getcwd', 'capget', 'sched_getparam', 'sched_getscheduler',
  'futex', 'set_robust_list', 'rseq', 'membarrier', 'getrandom', 'exit', 'exit_group',
]

const CLONE_THREAD = 0x0001_0000
/** Calls of which one argument decides. The low word is enough: the kernel takes these as int. */
const BY_ARGUMENT: readonly { readonly name: SyscallName; readonly argument: number; readonly values: readonly number[] }[] = [
  // F_GETFD, F_SETFD, F_GETFL, F_SETFL: no duplicates, no locks, no owners.
  { name: 'fcntl', argument: 1, values: [1, 2, 3, 4] },
  // FIONBIO, FIOCLEX, FIONCLEX.
  { name: 'ioctl', argument: 1, values: [0x5421, 0x5451, 0x5450] },
  // PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS, PR_SET_VMA (names of memory areas).
  { name: 'prctl', argument: 0, values: [3, 15, 16, 21, 39, 0x5356_4d41] },
]

interface Instruction {
  readonly code: number
  readonly k: number
  /** Instructions to jump over, when true and when false. */
  readonly jt?: number
  readonly jf?: number
}
const load = (at: number): Instruction => ({ code: LOAD, k: at })
const ret = (action: number): Instruction => ({ code: RETURN, k: action })
const equal = (k: number, jt: number, jf: number): Instruction => ({ code: JUMP_EQUAL, k, jt, jf })

/** `struct sock_filter[]`: code (2) ‖ jump if true (1) ‖ jump if false (1) ‖ k (4), little-endian. */
export function filterProgram(arch: Arch): Uint8Array {
  const program = instructions(arch)
  const out = new Uint8Array(8 * program.length)
  const view = new DataView(out.buffer)
  for (const [i, { code, k, jt = 0, jf = 0 }] of program.entries()) {
    view.setUint16(8 * i, code, true)
    out[8 * i + 2] = jt
    out[8 * i + 3] = jf
    view.setUint32(8 * i + 4, k >>> 0, true)
  }
  return out
}

function instructions(arch: Arch): Instruction[] {
  // A process of another architecture numbers its calls otherwise.
  const program = [load(ARCH), equal(AUDIT_ARCH[arch], 1, 0), ret(KILL_PROCESS), load(NR)]
  const rule = (name: SyscallName, body: readonly Instruction[]): void => {
    const nr = syscallNumber(name, arch)
    if (nr !== undefined) program.push(equal(nr, 0, body.length), ...body)
  }
  for (const name of PLAIN) rule(name, [ret(ALLOW)])
  for (const { name, argument: i, values } of BY_ARGUMENT) {
    const tests = values.map((v, at) => equal(v, values.length - at, 0))
    rule(name, [load(argument(i)), ...tests, ret(errno(EPERM)), ret(ALLOW)])
  }
  // Threads, not processes. The newer call hides its flags behind a pointer: the C library then takes the older one.
  rule('clone', [load(argument(0)), { code: JUMP_ANY_BIT, k: CLONE_THREAD, jt: 1, jf: 0 }, ret(errno(EPERM)), ret(ALLOW)])
  rule('clone3', [ret(errno(ENOSYS))])
  // Limits are read, not set: the pointer to new ones must be null, both words of it.
  rule('prlimit64', [load(argument(2)), equal(0, 0, 2), load(argument(2) + 4), equal(0, 1, 0), ret(errno(EPERM)), ret(ALLOW)])
  program.push(ret(errno(EPERM)))
  return program
}
