/**
 * Linux system calls by number: x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and arm64 (asm-generic/unistd.h).
 * A call that an architecture has not is undefined there.
 */
export type Arch = 'x64' | 'arm64'

const table = {
  read: [0, 63], write: [1, 64], readv: [19, 65], writev: [20, 66], close: [3, 57], fstat: [5, 80], lseek: [8, 62],
  mmap: [9, 222], mprotect: [10, 226], munmap: [11, 215], brk: [12, 214], mremap: [25, 216], madvise: [28, 233], pkey_mprotect: [329, 288],
  rt_sigaction: [13, 134], rt_sigprocmask: [14, 135], rt_sigreturn: [15, 139], sigaltstack: [131, 132], restart_syscall: [219, 128],
  ioctl: [16, 29], fcntl: [72, 25], shutdown: [48, 210], getsockname: [51, 204], getsockopt: [55, 209], poll: [7], ppoll: [271, 73],
  epoll_create1: [291, 20], epoll_ctl: [233, 21], epoll_wait: [232], epoll_pwait: [281, 22], eventfd2: [290, 19], pipe2: [293, 59],
  sched_yield: [24, 124], sched_getaffinity: [204, 123], getcpu: [309, 168], nanosleep: [35, 101], clock_nanosleep: [230, 115],
  clock_gettime: [228, 113], clock_getres: [229, 114], gettimeofday: [96, 169], getrusage: [98, 165], uname: [63, 160], sysinfo: [99, 179],
  getpid: [39, 172], gettid: [186, 178], getuid: [102, 174], geteuid: [107, 175], getgid: [104, 176], getegid: [108, 177],
  getcwd: [79, 17], capget: [125, 90], sched_getparam: [143, 121], sched_getscheduler: [145, 120],
  futex: [202, 98], set_robust_list: [273, 99], rseq: [334, 293], membarrier: [324, 283], getrandom: [318, 278],
  clone: [56, 220], clone3: [435, 435], exit: [60, 93], exit_group: [231, 94], prctl: [157, 167], prlimit64: [302, 261],
  // Only asked for to be refused, or before the filter stands.
  socket: [41, 198], dup: [32, 23], kill: [62, 129], process_vm_readv: [310, 270], pidfd_open: [434, 434], seccomp: [317, 277],
  landlock_create_ruleset: [444, 444], landlock_restrict_self: [446, 446],
} as const satisfies Record<string, readonly [number, number] | readonly [number]>

export type SyscallName = keyof typeof table

export const syscallNumber = (name: SyscallName, arch: Arch): number | undefined => (table[name] as readonly number[])[arch === 'x64' ? 0 : 1]
