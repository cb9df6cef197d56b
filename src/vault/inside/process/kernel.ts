/** Bare system calls, for what Node has no function for: locking this process in. Node's own foreign functions, so there is no addon to load. */
import type { Arch, SyscallName } from './syscalls.ts'
import { syscallNumber } from './syscalls.ts'

export interface Kernel {
  readonly arch: Arch
  /** Negative: it failed. Buffers are passed by address and live until the call returns. */
  /** Where the octets are, while the buffer lives. */
  address(bytes: Uint8Array): bigint
  call(name: SyscallName, ...args: readonly (number | bigint | Uint8Array)[]): number
}

/** `why`: this is no Linux that we know the numbers of, or Node has no foreign functions. */
export function openKernel(): { readonly ok: true; readonly value: Kernel } | { readonly ok: false; readonly why: string } {
  const { arch, platform } = process
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) return { ok: false, why: `none are known for ${platform} on ${arch}` }
  try {
    return { ok: true, value: bareCalls(arch) }
  } catch (e) {
    return { ok: false, why: `this Node cannot ask for them (${e instanceof Error ? e.message : String(e)})` }
  }
}

function bareCalls(arch: Arch): Kernel {
  // Not imported: a Node without it runs the vault all the same.
  const ffi = process.getBuiltinModule('node:ffi')
  if (ffi === undefined) throw new Error('it has no foreign functions')
  const six = ['int64', 'int64', 'int64', 'int64', 'int64', 'int64'] as const
  const { syscall } = ffi.dlopen(null, { syscall: { arguments: ['int64', ...six], return: 'int64' } }).functions
  const word = (a: number | bigint | Uint8Array | undefined): bigint => (a instanceof Uint8Array ? ffi.getRawPointer(a) : BigInt(a ?? 0))
  return {
    arch,
    address: (bytes) => ffi.getRawPointer(bytes),
    call(name, ...args) {
      const nr = syscallNumber(name, arch)
      if (nr === undefined) return -1
      return Number(syscall(BigInt(nr), word(args[0]), word(args[1]), word(args[2]), word(args[3]), word(args[4]), word(args[5])))
    },
  }
}
