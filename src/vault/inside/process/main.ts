/**
 * Entry of the vault process and of its two threads: this file and all that it imports become one bundle (bin/bundle-vault.mjs).
 *
 *   main      locks the process in, says what it could have, starts the border, and waits
 *   border    has the socket to the client; checks what comes; seals and opens frames
 *   control   has the keys; starts when the border was given the options
 *
 * The threads start after the locks and run from memory, for there is no file to be had any more. That the main thread does no
 * more than wait is on purpose: Node's loops of before the locks keep an io_uring, which could open files past seccomp and is
 * therefore forbidden, and loops of after them have none.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { VaultReport } from '../../api/border.ts'
import { type ControlData, runControl } from '../control-thread.ts'
import { type BorderData, runBorder } from './border-thread.ts'
import { openEnclave } from './enclave.ts'
import { dropPermissions, ISOLATING, type Lock, lockLinux } from './harden.ts'
import { type Kernel, openKernel } from './kernel.ts'

/** Of the process when something in it has failed (EX_SOFTWARE of sysexits.h). */
const BROKEN = 70
/** What Node lets a process do that was started with --permission; each thread gives up its own. */
const PERMISSIONS = ['fs.read', 'fs.write', 'child', 'ffi', 'addon', 'net', 'wasi', 'inspector']

function main(): void {
  const program = readFileSync(process.argv[1]!, 'utf8')
  let kernel: Kernel | undefined
  // Straight away: on its way out Node would use a loop of before the locks.
  const leave = (code: number): void => {
    kernel?.call('exit_group', code)
    process.exit(code)
  }
  process.on('uncaughtException', () => leave(BROKEN))
  // Ctrl-C reaches the whole group of processes: the client decides when to end, by its end of the socket.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // Once round the loop: what it watches is watched before its ring is forbidden.
  setImmediate(() => {
    const enclave = openEnclave() !== undefined
    const opened = enclave ? undefined : openKernel()
    kernel = opened?.ok === true ? opened.value : undefined
    const locks = enclave ? ENCLAVE : kernel === undefined ? none(opened?.ok === false ? opened.why : '') : lockLinux(kernel)
    const report = lockIn(program, enclave, [...locks])
    const border = new Worker(program, { eval: true, name: 'stc-border', workerData: { role: 'border', program, report } satisfies BorderData, stdout: true, stderr: true })
    dropPermissions(['worker'])
    border.on('error', () => leave(BROKEN))
    border.on('exit', leave)
  })
}

function lockIn(program: string, enclave: boolean, locks: Lock[]): VaultReport {
  const left = dropPermissions(forbidden(enclave))
  locks.push({ name: 'Node permissions', had: left.length === 0, detail: left.length === 0 ? '' : `still allowed: ${left.join(', ')}` })
  const isolated = enclave || ISOLATING.every((name) => locks.some((l) => l.name === name && l.had))
  return { measurement: createHash('sha256').update(program).digest('hex'), isolated, enclave, locks }
}

/** The processor keeps everybody out, the kernel and Gramine's loader included; there is no kernel inside to set locks with. */
const ENCLAVE: readonly Lock[] = [{ name: 'SGX enclave', had: true, detail: '' }]
/** What an enclave was started with are the two files of its quotes: it reads and writes them all the time. */
const forbidden = (enclave: boolean): string[] => PERMISSIONS.filter((p) => !enclave || !p.startsWith('fs.'))
const none = (detail: string): Lock[] => [{ name: 'locks of the operating system', had: false, detail }]

if (isMainThread) main()
else if (parentPort !== null) {
  const enclave = openEnclave()
  dropPermissions(forbidden(enclave !== undefined))
  const data = workerData as BorderData | (ControlData & { readonly role: 'control' })
  if (data.role === 'border') runBorder(data)
  else {
    dropPermissions(['worker'])
    runControl(parentPort, data, enclave === undefined ? {} : { quoter: enclave.quoter })
  }
}
