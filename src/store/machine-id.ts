/** The id of this machine's installation; it is no secret, and is never written anywhere as it is. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id', '/etc/hostid']
const TIME_MS = 3000

/** Undefined where the system has none. */
export function machineId(): string | undefined {
  if (process.platform === 'darwin') return found(run('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']), /"IOPlatformUUID" = "([0-9A-F-]+)"/i)
  if (process.platform === 'win32') return found(run('reg', ['query', 'HKLM\\SOFTWARE\\Microsoft\\Cryptography', '/v', 'MachineGuid']), /REG_SZ\s+([0-9a-f-]+)/i)
  for (const file of FILES) {
    try {
      const id = readFileSync(file, 'latin1').trim()
      if (/^[0-9a-f]{8,64}$/i.test(id)) return id
    } catch {
      // Not every system has every file.
    }
  }
  return undefined
}

const found = (text: string, pattern: RegExp): string | undefined => pattern.exec(text)?.[1]?.toLowerCase()

function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', timeout: TIME_MS, stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
