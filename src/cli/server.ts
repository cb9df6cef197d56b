/** `stc server`: one server in the foreground, its log on stdout. */
import type { Command } from 'commander'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { showAddress } from '../net/address.ts'
import { realScheduler } from '../net/scheduler.ts'
import { RevocationFetcher } from '../pki/source.ts'
import { pinoLog, readServerConfig, type Server, startServer } from '../server/index.ts'
import { registerAsteriskConfig } from './asterisk-config.ts'
import { endAnyway } from './last-resort.ts'
import { complain, EXIT, fail, interrupted } from './output.ts'
import { registerServerInit } from './server-init.ts'
import { registerServerStatus } from './server-status.ts'
import { preferVoice } from './priority.ts'

export function registerServer(program: Command): void {
  const server = program
    .command('server')
    .description('run a server')
    .option('-c, --config <file>', 'configuration (YAML; docs/operations.md lists the keys)')
    .action((options: { config?: string }) => (options.config === undefined ? server.error("error: required option '-c, --config <file>' not specified", { exitCode: EXIT.usage }) : runServer(options.config)))
  registerAsteriskConfig(server)
  registerServerInit(server)
  registerServerStatus(server)
}

async function runServer(file: string): Promise<void> {
  preferVoice()
  const config = readServerConfig(file)
  if (!config.ok) return fail(config.fault)
  // Listening begins before startServer returns: a signal then must not be lost.
  const stopped = interrupted()
  const log = pinoLog(config.value.log)
  const fetcher = config.value.revocation.fetch ? new RevocationFetcher(createNodeCrypto(), realScheduler(), (fault) => log.warn({ code: fault.code }, fault.message)) : undefined
  const server = await startServer(config.value, log, fetcher)
  if (!server.ok) return fail(server.fault)
  complain(`stc server at ${showAddress(server.value.address)} (TCP) and ${showAddress(server.value.media)} (UDP); Ctrl-C ends it`)
  const broken = await Promise.race([stopped, drained(server.value), server.value.broken])
  await server.value.close()
  // Who watches over us starts another one; its clients come back with fresh keys.
  if (broken === undefined) return
  fail(broken)
  endAnyway()
}

/** Longer than almost every conference; whoever cannot wait sends SIGTERM. */
const DRAIN_MS = 4 * 3_600_000

/** SIGUSR2: no new rooms, and the end with the last one (`systemctl kill -s USR2 stc-server`). */
const drained = (server: Server): Promise<void> => new Promise((resolve) => {
  if (process.platform === 'win32') return
  let draining = false
  // It comes twice where the whole group of processes gets it, from the launcher as well.
  process.on('SIGUSR2', () => {
    if (!draining) void server.drain(DRAIN_MS).then(resolve)
    draining = true
  })
})
