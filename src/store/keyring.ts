/** 32 octets in the operating system's keyring: Secret Service on Linux (secret-tool), Keychain on macOS, DPAPI on Windows. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Result, err, ok } from '../base/result.ts'
import { replaceFile } from './atomic-file.ts'

const SERVICE = 'stc sealed key'
const TIME_MS = 60_000
const SECRET_HEX = /^[0-9a-f]{64}$/

export interface Keyring {
  /** `file` names the sealed key. */
  get(file: string): Result<Uint8Array>
  put(file: string, secret: Uint8Array): Result<undefined>
}

type Run = (command: string, args: readonly string[], input?: string) => string

const runIt: Run = (command, args, input) => execFileSync(command, args, { encoding: 'utf8', timeout: TIME_MS, stdio: ['pipe', 'pipe', 'pipe'], ...(input === undefined ? {} : { input }) })

/** `run` is for tests. */
export function systemKeyring(platform: NodeJS.Platform = process.platform, run: Run = runIt): Keyring {
  const how = platform === 'darwin' ? keychain(run) : platform === 'win32' ? dpapi(run) : secretService(run)
  const guarded = <T>(file: string, act: () => T): Result<T> => {
    try {
      return ok(act())
    } catch (e) {
      const { code, message } = e as NodeJS.ErrnoException
      return err('IDENTITY_KEYRING', `${file} (${code === 'ENOENT' ? `${how.needs} is not installed` : (message.split('\n').at(-1) ?? message).trim()})`)
    }
  }
  return {
    get: (file) => {
      const read = guarded(file, () => how.get(file).trim())
      if (!read.ok) return read
      return SECRET_HEX.test(read.value) ? ok(Uint8Array.from(Buffer.from(read.value, 'hex'))) : err('IDENTITY_KEYRING', `${file} (it holds nothing for this file)`)
    },
    put: (file, secret) => guarded(file, () => {
      how.put(file, Buffer.from(secret).toString('hex'))
      return undefined
    }),
  }
}

interface How {
  readonly needs: string
  get(file: string): string
  put(file: string, hex: string): void
}

const secretService = (run: Run): How => ({
  needs: 'secret-tool (package libsecret-tools)',
  get: (file) => run('secret-tool', ['lookup', 'service', SERVICE, 'file', file]),
  put: (file, hex) => void run('secret-tool', ['store', `--label=stc: ${file}`, 'service', SERVICE, 'file', file], hex),
})

/** `security` takes the secret from its standard input in interactive mode: never in an argument, which others could read. */
const keychain = (run: Run): How => ({
  needs: 'security',
  get: (file) => run('security', ['find-generic-password', '-s', SERVICE, '-a', file, '-w']),
  put: (file, hex) => void run('security', ['-i'], `add-generic-password -U -s "${SERVICE}" -a "${file.replaceAll(/["\\]/g, '\\$&')}" -w ${hex}\n`),
})

/** What DPAPI gives lies beside the file; only this user on this machine can undo it. */
const dpapi = (run: Run): How => {
  const shell = (script: string, input: string): string => run('powershell', ['-NoProfile', '-NonInteractive', '-Command', script], input)
  const LOAD = 'Add-Type -AssemblyName System.Security; $i=[Console]::In.ReadToEnd().Trim();'
  return {
    needs: 'PowerShell',
    get: (file) => shell(`${LOAD} [Text.Encoding]::ASCII.GetString([Security.Cryptography.ProtectedData]::Unprotect([Convert]::FromBase64String($i),$null,'CurrentUser'))`, readFileSync(`${file}.dpapi`, 'latin1')),
    put: (file, hex) => {
      const sealed = shell(`${LOAD} [Convert]::ToBase64String([Security.Cryptography.ProtectedData]::Protect([Text.Encoding]::ASCII.GetBytes($i),$null,'CurrentUser'))`, hex)
      const written = replaceFile(`${file}.dpapi`, Buffer.from(sealed, 'latin1'))
      if (!written.ok) throw new Error(written.fault.message)
    },
  }
}
