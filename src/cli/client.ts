/** `stc client`: one client in the foreground, its roster on the terminal. */
import type { Command } from 'commander'
import { clientConfig } from '../client/config.ts'
import { showEvent, showRoster, type Terminal } from '../client/terminal.ts'
import { readConfig } from '../store/config.ts'
import { startRealClient } from './compose-client.ts'
import { fail, interrupted, say } from './output.ts'
import { preferVoice } from './priority.ts'

export function registerClient(program: Command): void {
  program
    .command('client')
    .description('run a client beside your phone')
    .requiredOption('-c, --config <file>', 'configuration (YAML; docs/operations.md lists the keys)')
    .action((options: { config: string }) => runClient(options.config))
}

async function runClient(file: string): Promise<void> {
  preferVoice()
  const config = readConfig(file, clientConfig)
  if (!config.ok) return fail(config.fault)
  const terminal: Terminal = { write: say, colours: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined }
  const started = await startRealClient(config.value, file, {
    observer: {
      onServer: (up, d) => say(up ? `connected to ${config.value.server.host}` : `not connected: ${d.fault?.message ?? ''}`),
      onPhone: (e) => {
        if (e.kind === 'registered' || e.kind === 'unregistered') say(`phone ${e.line} ${e.kind}: ${e.contact}`)
        else if (e.kind === 'dial') say(`phone ${e.line} dials ${e.target}`)
      },
      onEvent: (call, e) => {
        showEvent(terminal, call.name, e)
        if (e.kind === 'group' || e.kind === 'confirmed') showRoster(terminal, call.roster)
      },
      onOver: (call, reason, fault) => say(fault === undefined ? `${call.name}: ${reason}` : `${call.name}: ${fault.message} [${fault.code}]`),
      onMedia: (e) => {
        if (e.op === 'fault') say(`media: ${e.message} [${e.code}]`)
        else if (e.op === 'hop.path') say(`media to the server: ${e.path}${e.roundTripMs === undefined ? '' : `, ${e.roundTripMs.toFixed(1)} ms`}`)
      },
    },
  })
  if (!started.ok) return fail(started.fault)
  const { client, phones } = started.value
  for (const p of phones) say(`phone ${p.line}: register or dial at sip:${p.line}@${p.address}`)
  await interrupted()
  say('leaving')
  await client.stop()
}
