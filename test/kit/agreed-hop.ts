/** A client whose connection agrees on the keys of its hop with a server, as in the real thing but for TLS and the socket below it. */
import { ssrc } from '../../src/base/brand.ts'
import { instant } from '../../src/base/brand.ts'
import { must, ok } from '../../src/base/result.ts'
import { Connection, type OpenChannel } from '../../src/client/connection.ts'
import { answerHopOffer, createHopOffer, finishHop, HOP_SUITES, type HopExporter, type HopOfferState } from '../../src/protocol/hop/agreement.ts'
import type { ClientMessage, ServerMessage } from '../../src/protocol/wire/messages.ts'
import { FakeVault } from './fake-vault.ts'
import { Member, type MediaWorld } from './media-world.ts'

/** One way of the channel, ms. */
const LATENCY_MS = 40

export class AgreedHop {
  readonly #freshKeysMs: number
  /** What the client's vault has to do first when keys are to change. */
  readonly #busyMs: number
  /** As the server took them. */
  readonly generations: number[] = []
  connection!: Connection

  constructor(freshKeysMs: number, busyMs = 0) {
    this.#freshKeysMs = freshKeysMs
    this.#busyMs = busyMs
  }

  async admit(w: MediaWorld): Promise<Member> {
    const { clock, crypto } = w
    const member = new Member(w, 'client', '198.51.100.1', 1001)
    const exporter: HopExporter = (context) => crypto.hash('sha512', context)
    let opened = false
    let tell: (m: ServerMessage) => void = () => {}
    const server = (m: ClientMessage): ServerMessage | undefined => {
      if (m.k === 'hello') return { k: 'welcome', version: 1, capabilities: [], agent: 'server', realm: 'r', session: 's', unixTime: 1, udp: [w.plane.local] }
      if (m.k !== 'hop-offer') return undefined
      const { generation, receive, send, message } = must(answerHopOffer(crypto, m.message, exporter, { after: this.generations.at(-1) ?? 0, suites: HOP_SUITES }))
      this.generations.push(generation)
      if (opened) must(w.plane.rekey(member.leg, { generation, receive, send }))
      else member.leg = must(w.plane.open({ generation, receive, send, probe: ssrc(1) }))
      opened = true
      return { k: 'hop-answer', generation, message, probe: 1 }
    }
    const later = (run: () => void): void => void clock.at(instant(clock.now() + LATENCY_MS), run)
    const channel: OpenChannel = {
      pipe: 1 as OpenChannel['pipe'],
      send: (m) => {
        later(() => {
          const answer = server(m)
          if (answer !== undefined) later(() => tell(answer))
        })
        return ok(undefined)
      },
      onMessage: (l) => (tell = l), onClose: () => {}, close: () => {},
    }
    let offer: HopOfferState | undefined
    this.connection = new Connection({
      open: async () => ok(channel), media: (c) => member.command(c), scheduler: clock, chance: () => 0.5, agent: 'test', suites: HOP_SUITES, fallback: w.plane.local, hop: 1, freshKeysMs: this.#freshKeysMs,
      vault: new FakeVault({
        'hop.offer': ({ generation, suites }) => {
          const { message, state } = createHopOffer(crypto, { generation, suites })
          offer = state
          return ok({ message })
        },
        'hop.finish': async ({ answer }) => {
          const busyMs = this.generations.length > 1 ? this.#busyMs : 0
          if (busyMs > 0) await new Promise<void>((done) => void clock.at(instant(clock.now() + busyMs), done))
          return finishHop(crypto, offer!, answer, exporter)
        },
      }),
      onUp: () => {}, onDown: () => {}, onMessage: () => {},
    })
    void this.connection.start()
    await clock.until(() => this.connection.up, 1000)
    w.members.push(member)
    return member
  }
}
