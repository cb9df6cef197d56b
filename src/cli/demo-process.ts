/** One process of the demo: the server, or a member with a robot or a phone. Ends with its parent. */
import { readFileSync } from 'node:fs'
import { joinPcm } from '../audio/join-pcm.ts'
import { speechOf } from '../audio/wav.ts'
import type { Client } from '../client/client.ts'
import type { ClientObserver } from '../client/options.ts'
import { PcmHandset } from '../client/handset/pcm.ts'
import type { MediaEvent } from '../media/api.ts'
import { readServerConfig, startServer } from '../server/index.ts'
import type { MemberRole, Order, Report, ServerRole } from '../demo/script.ts'
import { startRealClient } from './compose-client.ts'
import { clientWithPage, pageAlone } from './page.ts'
import { preferVoice } from './priority.ts'

const report = (r: Report): void => {
  if (process.connected) process.send?.(r)
}
const failed = (fault: { code: string; message: string }): void => report({ kind: 'failed', code: fault.code, message: fault.message })

preferVoice()

let stop: () => Promise<void> = async () => {}

process.on('message', (o) => void obey(o as Order))
process.on('disconnect', () => void stop().then(() => process.exit(0)))

let actor: Member | undefined

async function obey(o: Order): Promise<void> {
  if (o.kind === 'role') await (o.role.role === 'server' ? serve(o.role) : join(o.role))
  else if (o.kind === 'stop') {
    await stop()
    process.exit(0)
  } else actor?.obey(o)
}

async function serve(role: ServerRole): Promise<void> {
  const config = readServerConfig(role.configFile)
  if (!config.ok) return failed(config.fault)
  const server = await startServer(config.value)
  if (!server.ok) return failed(server.fault)
  stop = () => server.value.close()
  void server.value.broken.then(failed)
  report({ kind: 'up', listening: server.value.address })
}

async function join(role: MemberRole): Promise<void> {
  const member = new Member(role)
  const extras = { observer: member.observer, handsets: member.robot === undefined ? [] : [member.robot] }
  const page = role.page && role.config.page !== false ? await pageAlone({ port: role.config.page.port }) : undefined
  if (page?.ok === false) return failed(page.fault)
  const client = await (page === undefined ? startRealClient(role.config, role.configFile, extras) : clientWithPage(page.value, role.config, role.configFile, extras))
  if (!client.ok) return failed(client.fault)
  actor = member
  member.client = client.value.client
  stop = () => client.value.stop()
  report({ kind: 'phones', addresses: client.value.phones.map((p) => p.address), ...(page === undefined ? {} : { page: page.value.url }) })
}

class Member {
  readonly #role: MemberRole
  readonly robot: PcmHandset | undefined
  client: Client | undefined
  readonly #heard: Int16Array[] = []

  constructor(role: MemberRole) {
    this.#role = role
    const { voices } = role
    if (voices.length > 0) this.robot = new PcmHandset(role.name, { kind: 'pcm', speech: loadVoices(voices), record: role.record })
  }

  obey(o: Order): void {
    if (o.kind === 'dial') this.robot?.dial(`${this.#role.config.dialPlan.roomPrefix}${this.#role.room}`)
    else if (o.kind === 'mute') this.#mute(o.on)
    else if (o.kind === 'cut') report({ kind: 'recorded', pcm: this.#take() })
  }

  #mute(on: boolean): void {
    for (const call of this.client?.calls ?? []) if (call.muted !== on) call.toggleMute()
  }

  readonly observer: ClientObserver = {
    onServer: (up, d) => {
      if (up) report({ kind: 'up' })
      else report({ kind: 'note', note: { at: 0 as never, code: d.fault?.code ?? '', text: d.fault?.message ?? 'no connection' } })
    },
    onPhone: (e) => {
      if (e.kind === 'registered' || e.kind === 'unregistered') report({ kind: 'phone', text: `${e.kind} ${e.contact}` })
      else if (e.kind === 'dial' && this.robot === undefined) report({ kind: 'phone', text: `dials ${e.target}` })
      else if (e.kind === 'ended' && this.robot === undefined) report({ kind: 'phone', text: `hung up: ${e.reason}` })
    },
    onEvent: (call, e) => {
      if (e.kind === 'note') report({ kind: 'note', note: e })
      report({ kind: 'roster', roster: call.roster })
    },
    onJoined: (call) => report({ kind: 'joined', joinMs: (call.joinedAt ?? call.startedAt) - call.startedAt }),
    onOver: (call, reason) => {
      report({ kind: 'roster', roster: call.roster })
      report({ kind: 'left', reason })
    },
    onStats: (call, e) => report({ kind: 'stats', senders: e.senders, sent: e.sent, lateTicks: e.lateTicks, dialledAt: call.startedAt }),
    onMedia: (e) => this.#onMedia(e),
  }

  #onMedia(e: MediaEvent): void {
    if (e.op === 'phone.heard') this.#heard.push(e.pcm)
    else if (e.op === 'fault') report({ kind: 'note', note: { at: 0 as never, code: e.code, text: e.message } })
  }
  #take(): Int16Array {
    return joinPcm(this.#heard.splice(0))
  }
}

/** WAV files one after the other, as 16 kHz PCM. */
function loadVoices(files: readonly string[]): Int16Array {
  const parts = files.map((f) => {
    const speech = speechOf(readFileSync(f))
    if (!speech.ok) throw new Error(`${f}: ${speech.fault.message}`)
    return speech.value
  })
  return joinPcm(parts)
}
