/** The seccomp filter, run by a small interpreter of classic BPF: what passes, what does not, on both architectures. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { filterProgram } from '../../../src/vault/inside/process/filter.ts'
import { type Arch, syscallNumber, type SyscallName } from '../../../src/vault/inside/process/syscalls.ts'

const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 } as const
const ALLOWED = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const KILLED = 0x80000000

/** struct seccomp_data → the filter's verdict (Linux's socket filters, the four instructions that it uses). */
function verdict(program: Uint8Array, nr: number, audit: number, args: readonly bigint[] = []): number {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, nr, true)
  data.setUint32(4, audit, true)
  for (const [i, a] of args.entries()) data.setBigUint64(16 + 8 * i, a, true)
  const view = new DataView(program.buffer)
  let accumulator = 0
  for (let pc = 0; pc < program.length / 8; pc++) {
    const [code, jt, jf, k] = [view.getUint16(8 * pc, true), program[8 * pc + 2]!, program[8 * pc + 3]!, view.getUint32(8 * pc + 4, true)]
    if (code === 0x20) accumulator = data.getUint32(k, true)
    else if (code === 0x15) pc += accumulator === k ? jt : jf
    else if (code === 0x45) pc += (accumulator & k) !== 0 ? jt : jf
    else if (code === 0x06) return k
    else assert.fail(`instruction ${code}`)
  }
  return assert.fail('it ends without a verdict')
}

for (const arch of ['x64', 'arm64'] as const satisfies readonly Arch[]) {
  describe(arch, () => {
    const program = filterProgram(arch)
    const ask = (name: SyscallName, ...args: readonly bigint[]): number => verdict(program, syscallNumber(name, arch)!, AUDIT[arch], args)

    test('memory, threads, clocks and open files go on', () => {
      for (const name of ['read', 'write', 'mmap', 'mprotect', 'munmap', 'futex', 'clock_gettime', 'epoll_pwait', 'getrandom', 'exit_group'] as const) assert.equal(ask(name), ALLOWED, name)
      assert.equal(ask('clone', 0x3d0f00n), ALLOWED, 'a thread')
    })

    test('files, sockets, programs, other processes do not', () => {
      for (const name of ['socket', 'dup', 'kill', 'process_vm_readv', 'pidfd_open', 'seccomp', 'landlock_create_ruleset'] as const) assert.equal(ask(name), EPERM, name)
      // open, openat, openat2, execve, execveat, ptrace, bpf, io_uring_setup/enter/register, userfaultfd, connect, sendmsg, recvmsg, fork, mount, memfd_create
      const others = { x64: [2, 257, 437, 59, 322, 101, 321, 425, 426, 427, 323, 42, 46, 47, 57, 165, 319], arm64: [56, 437, 221, 281, 117, 280, 425, 426, 427, 282, 203, 211, 212, 40, 279] }[arch]
      for (const nr of others) assert.equal(verdict(program, nr, AUDIT[arch]), EPERM, `${nr}`)
      assert.equal(ask('clone', 17n), EPERM, 'a process')
      assert.equal(ask('clone3'), ENOSYS)
      // Numbers of the 32-bit pointers' interface of x86-64.
      assert.equal(verdict(program, 0x4000_0000, AUDIT[arch]), EPERM)
    })

    test('arguments decide where they have to', () => {
      assert.equal(ask('prctl', 15n), ALLOWED)
      assert.equal(ask('prctl', 4n, 1n), EPERM, 'dumpable again')
      assert.equal(ask('fcntl', 3n, 4n), ALLOWED)
      assert.equal(ask('fcntl', 3n, 0n), EPERM, 'F_DUPFD')
      assert.equal(ask('ioctl', 3n, 0x5421n), ALLOWED)
      assert.equal(ask('ioctl', 3n, 0x5412n), EPERM, 'TIOCSTI')
      assert.equal(ask('prlimit64', 0n, 4n, 0n, 1n), ALLOWED)
      assert.equal(ask('prlimit64', 0n, 4n, 0x7000n), EPERM)
      assert.equal(ask('prlimit64', 0n, 4n, 0x7000_0000_0000n), EPERM, 'only the high word')
    })

    test('another architecture ends the process', () => {
      assert.equal(verdict(program, syscallNumber('read', arch)!, 0x4000_0003), KILLED)
    })
  })
}
