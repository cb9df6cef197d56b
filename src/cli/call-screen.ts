/** The terminal of `stc call`: drawn anew where there is a screen, line by line where there is none, events as JSON where a program reads. */
import { emitKeypressEvents, type Key } from 'node:readline'
import type { Client } from '../client/client.ts'
import type { RunningCall } from '../client/calls.ts'
import { liveScreen } from '../client/live-screen.ts'
import { observeAll } from '../client/observers.ts'
import type { ClientObserver } from '../client/options.ts'
import { showEvent, showNote, showRoster, type Terminal } from '../client/terminal.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { MediaCommand, SenderStats } from '../media/api.ts'
import { displayName } from '../model/identity.ts'
import { privacyOf, privacySentence } from '../model/privacy.ts'
import { answer, coded, complain, local, say, speaksJson } from './output.ts'
import { RosterPrints, rosterWords } from './plain-terminal.ts'
import type { ClientMemory } from './room-memory.ts'
import { takeLine } from './typed-commands.ts'

const DRAW_MS = 200
const NEWS_KEPT = 20
const CTRL_C = 'c'

interface Begun {
  readonly client: Client
  readonly media: (c: MediaCommand) => void
  readonly memory: ClientMemory
  readonly microphone: string
  readonly speaker: string
}

export class CallScreen {
  readonly #room: string
  readonly #onQuit: () => void
  readonly #live = process.stdout.isTTY === true && process.stdin.isTTY === true && !speaksJson()
  readonly #colours = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined
  readonly #levels = new Map<number, number>()
  readonly #prints = new RosterPrints()
  #stats = new Map<number, SenderStats>()
  /** From before the screen, where it was said at once: shown on it, and not said again after it. */
  #early: string[] = []
  #news: string[] = []
  #call: RunningCall | undefined
  #ownLevel = 127
  #path = ''
  #began = performance.now()
  #typed: string | undefined
  #timer: NodeJS.Timeout | undefined
  #begun: Begun | undefined
  joined = false

  constructor(room: string, onQuit: () => void) {
    this.#room = room
    this.#onQuit = onQuit
  }

  watch(also: ClientObserver): ClientObserver {
    return observeAll(also, {
      onServer: (up, { fault }) => {
        if (this.#begun !== undefined) this.#tell(up ? 'connected again' : fault === undefined ? 'the connection is lost' : `the connection is lost: ${coded(fault)}`)
      },
      onServerSilent: (silent) => {
        if (this.#begun !== undefined) this.#tell(silent ? 'no answer from the server for 2 s' : 'the server answers again')
      },
      onEvent: (call, e) => {
        this.#call = call
        if (speaksJson()) return this.#asJson(call, e.kind)
        const t = this.#terminal
        showEvent(t, call.name, e)
        if (e.kind === 'flag' || e.kind === 'notice') showNote(t, call.name, call.roster.notes.at(-1)!)
        if (!this.#live && this.#prints.isDue(call, e, e.kind === 'group' || e.kind === 'confirmed' || e.kind === 'conference')) showRoster(t, call.roster)
      },
      onJoined: (call) => {
        this.joined = true
        this.#begun?.media({ op: 'conference.meters', conference: call.conference, on: this.#live })
      },
      onStats: (_, e) => {
        this.#stats = new Map(e.senders.map((x) => [x.ssrc, x]))
        this.#ownLevel = e.ownLevel
      },
      onMedia: (e) => {
        if (e.op === 'conference.levels') {
          this.#ownLevel = e.own
          for (const [ssrc, level] of e.levels) this.#levels.set(ssrc, level)
        } else if (e.op === 'hop.path') this.#path = e.path === 'none' ? '' : `media over ${e.path.toUpperCase()}${e.roundTripMs === undefined ? '' : ` ${e.roundTripMs.toFixed(0)} ms`}`
        else if (e.op === 'fault') this.#tell(coded(e))
      },
    })
  }

  begin(o: Begun): void {
    this.#begun = o
    this.#began = performance.now()
    if (o.microphone === '') this.#tell('no microphone: others hear silence (install pulseaudio-utils, alsa-utils or sox, or use --play FILE)')
    if (o.speaker === '') this.#tell('no speaker: you hear nothing (install pulseaudio-utils, alsa-utils or sox, or use --record FILE)')
    if (!this.#live) return void (process.stdin.isTTY !== true && this.#readLines())
    emitKeypressEvents(process.stdin)
    process.stdin.setRawMode(true)
    process.stdin.on('keypress', this.#onKey).resume()
    process.stdout.write('\x1b[?1049h\x1b[?25l')
    this.#timer = setInterval(() => this.#draw(), DRAW_MS)
    this.#draw()
  }

  end(): void {
    clearInterval(this.#timer)
    process.stdin.pause()
    if (!this.#live || this.#begun === undefined) return
    process.stdin.off('keypress', this.#onKey).setRawMode(false)
    process.stdout.write('\x1b[?25h\x1b[?1049l')
    for (const n of this.#news) say(n)
  }

  /** A line of news, in whatever way they are shown. */
  tell(text: string): void {
    this.#tell(text)
  }
  get #terminal(): Terminal {
    return { write: (line) => this.#tell(this.#live ? line.trim() : line), colours: this.#colours && !this.#live, ...rosterWords() }
  }
  #tell(text: string): void {
    if (text === '') return
    if (!this.#live) return speaksJson() ? answer({ event: 'text', text }, []) : say(text)
    if (this.#begun !== undefined) this.#news = [...this.#news, local(text)].slice(-NEWS_KEPT)
    else {
      say(text)
      this.#early = [...this.#early, local(text)].slice(-NEWS_KEPT)
    }
  }
  #asJson({ name, roster, muted }: RunningCall, event: string): void {
    answer({
      event, room: name, ...(roster.call === undefined ? {} : { call: roster.call }), phase: roster.phase, privacy: privacyOf(roster), sentence: privacySentence(roster), muted, epoch: String(roster.epoch), securityCode: roster.securityCode,
      members: roster.members.map((m) => ({ name: displayName(m.identity), keyId: m.identity.keyId, self: m.self, state: m.state, kind: m.kind, ...(m.unheard === undefined ? {} : { unheard: m.unheard }) })),
      callers: roster.callers.length, ...(event === 'note' ? { note: roster.notes.at(-1) } : {}),
    }, [])
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = process.stdout
    const call = this.#call
    const news = [...this.#early, ...this.#news].slice(-NEWS_KEPT)
    const lines = call === undefined
      ? [`· calling ${this.#room} …`, '', ...news]
      : liveScreen({ roster: call.roster, muted: call.muted, levels: this.#levels, ownLevel: this.#ownLevel, stats: this.#stats, seconds: (performance.now() - this.#began) / 1000, path: this.#path, news, ...(this.#typed === undefined ? {} : { typed: this.#typed }) }, { width: columns, height: rows, colours: this.#colours, ...rosterWords() })
    process.stdout.write(`\x1b[H${lines.map((l) => `${l}\x1b[K`).join('\r\n')}\x1b[J`)
  }

  readonly #onKey = (text: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === CTRL_C) return this.#onQuit()
    if (this.#typed !== undefined) this.#type(text ?? '', key)
    else if (text === 'q') return this.#onQuit()
    else if (text === 'm') this.#call?.toggleMute()
    else if (text === 'w') this.#take('/who')
    else if (text === '/') this.#typed = '/'
    this.#draw()
  }
  #type(text: string, key: Key): void {
    const typed = this.#typed ?? ''
    if (key.name === 'return' || key.name === 'enter') {
      this.#typed = undefined
      this.#take(typed)
    } else if (key.name === 'escape') this.#typed = undefined
    else if (key.name === 'backspace') this.#typed = typed.length > 1 ? typed.slice(0, -1) : undefined
    else if (text >= ' ' && key.ctrl !== true) this.#typed = (typed + text).slice(0, 200)
  }
  #take(line: string): void {
    const { client, memory } = this.#begun!
    takeLine({ client, memory, crypto: createNodeCrypto(), terminal: this.#terminal }, line)
  }
  /** Commands from a pipe. */
  #readLines(): void {
    let rest = ''
    process.stdin.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!.slice(-1000)
      for (const l of lines) this.#take(l)
    })
    process.stdin.on('error', () => complain('stc: what is typed cannot be read any more'))
  }
}
