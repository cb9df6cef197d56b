/** Process of one whole client with a talking robot, which tells when things happen on the machine's monotonic clock. */
import { must } from '../src/base/result.ts'
import type { RunningCall } from '../src/client/calls.ts'
import type { ClientConfig } from '../src/client/config.ts'
import { PcmHandset } from '../src/client/handset/pcm.ts'
import { type RealClient, startRealClient } from '../src/cli/compose-client.ts'
import { realScheduler } from '../src/net/scheduler.ts'
import { babble } from '../test/kit/audio.ts'

export type MemberOrder =
  | { readonly kind: 'start'; readonly name: string; readonly config: ClientConfig; readonly configFile: string; readonly seed: number }
  | { readonly kind: 'dial'; readonly number: string }
  /** As a host: the member whose certificate names this subject. */
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'hangup' }
  | { readonly kind: 'stop' }

export type MemberReport =
  | { readonly kind: 'up' }
  /** Since dialling, ms. */
  | { readonly kind: 'joined'; readonly afterMs: number }
  | { readonly kind: 'heard'; readonly afterMs: number }
  | { readonly kind: 'epoch'; readonly epoch: bigint; readonly members: number; readonly at: number }
  | { readonly kind: 'clicked'; readonly at: number }
  | { readonly kind: 'over'; readonly reason: string }
  | { readonly kind: 'note'; readonly text: string }

const { now } = realScheduler()
const report = (r: MemberReport): void => void process.send?.(r)
let client: RealClient | undefined
let robot: PcmHandset | undefined
let call: RunningCall | undefined
let heard = false

async function start(o: Extract<MemberOrder, { kind: 'start' }>): Promise<void> {
  robot = new PcmHandset(o.name, { kind: 'pcm', speech: babble(16_000 * 10, o.seed), record: false })
  client = must(await startRealClient(o.config, o.configFile, {
    handsets: [robot],
    observer: {
      onServer: (up) => up && report({ kind: 'up' }),
      onJoined: (c) => {
        call = c
        heard = false
        report({ kind: 'joined', afterMs: now() - c.startedAt })
      },
      onEvent: (_, e) => {
        if (e.kind === 'group') report({ kind: 'epoch', epoch: e.epoch, members: e.members.length, at: now() })
        else if (e.kind === 'note') report({ kind: 'note', text: `${e.code} ${e.text}` })
      },
      onStats: (c, e) => {
        const instants = e.senders.flatMap((s) => s.firstHeardAt ?? [])
        if (heard || instants.length === 0) return
        heard = true
        report({ kind: 'heard', afterMs: Math.min(...instants) - c.startedAt })
      },
      onOver: (_, reason) => report({ kind: 'over', reason }),
    },
  }))
}

process.on('message', (o: MemberOrder) => {
  if (o.kind === 'start') void start(o)
  else if (o.kind === 'dial') robot?.dial(o.number)
  else if (o.kind === 'hangup') robot?.hangup()
  else if (o.kind === 'remove') {
    const leaf = call?.roster.members.find((m) => m.identity.subject.includes(o.name))?.leaf
    report({ kind: 'clicked', at: now() })
    call?.input({ kind: 'remove', leaf: leaf ?? -1, ban: false })
  } else void client?.stop().then(() => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
