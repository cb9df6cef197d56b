/**
 * The door to foreign functions. Only net/native and crypto/native use it: there every length is checked
 * before every call, because nothing behind it is checked by anybody.
 */
import { createRequire } from 'node:module'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'

/** An address in this process. Numbers are exact below 2^53 and addresses below 2^48. */
export type Address = number
/** Types of parameters and results. A `pointer` is a number, 0 being NULL; `string` is copied for the call, null allowed. */
export type ForeignType = 'void' | 'int' | 'long' | 'pointer' | 'size' | 'string'
// biome-ignore lint/suspicious/noExplicitAny: what a foreign function takes is declared where it is looked up.
export type ForeignFunction<T = number> = (...args: any[]) => T

export interface Library {
  /** Throws when the process has no such function. */
  find<T = number>(name: string, result: ForeignType, parameters: readonly ForeignType[]): ForeignFunction<T>
  addressOf(bytes: Uint8Array): Address
  /** The C library's error number of this thread, right after a call. */
  errno(): number
}

const KOFFI_TYPES: Readonly<Record<ForeignType, string>> = { void: 'void', int: 'int', long: 'long', pointer: 'uintptr_t', size: 'size_t', string: 'str' }

/** Where struct layouts and constants are known (net/native/layout.ts): little endian, 64 bits, Linux. */
export const nativePlatforms: readonly string[] = ['linux-x64', 'linux-arm64']

let loaded: Result<Library> | undefined

/** Symbols of the running process: the C library, and the libcrypto that Node was linked with. */
export const processLibrary = (): Result<Library> => (loaded ??= load())

function load(): Result<Library> {
  const platform = `${process.platform}-${process.arch}`
  if (!nativePlatforms.includes(platform)) return err('NATIVE_UNAVAILABLE', platform)
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const own = koffi.load(null)
    return ok({
      find: <T>(name: string, result: ForeignType, parameters: readonly ForeignType[]) =>
        own.func(name, KOFFI_TYPES[result], parameters.map((p) => KOFFI_TYPES[p])) as ForeignFunction<T>,
      addressOf: (bytes) => Number(koffi.address(bytes)),
      errno: () => koffi.errno(),
    })
  } catch (e) {
    // The package is optional, and its binary may not fit this C library.
    return err('NATIVE_UNAVAILABLE', e instanceof Error ? e.message.split('\n')[0] : String(e))
  }
}
