/**
 * The phone's ears and mouth: microphone → 20 ms of 16 kHz PCM, and back. Echo cancellation, noise suppression and level
 * control are the browser's own. Devices are chosen by the user and remembered in this browser.
 */
import type { BrowserState } from '../../model/page.ts'
import microphoneUrl from './microphone.worklet.ts?worker&url'
import { Playback } from './playback.ts'
import speakerUrl from './speaker.worklet.ts?worker&url'

export interface SoundPorts {
  speak(pcm: Int16Array): void
  /** This window has just begun to listen: the sound is to come here. */
  claim(): void
}

/** `broken`: there is a microphone, and the browser's sound does not start. `withheld`: not before its user presses a key or clicks. */
export type SoundProblem = 'refused' | 'missing' | 'broken' | 'withheld'
export type SoundState = 'off' | 'asking' | 'on' | SoundProblem

const CHOSEN = { microphone: 'stc-microphone', speaker: 'stc-speaker' } as const
export type Device = keyof typeof CHOSEN
/** Of this window, over a reload, for as long as the call goes on: it had the sound; its user talks by pushing. */
const HAD = 'stc-had-sound'
const PUSHING = 'stc-push-to-talk'
/** After a reload the window before may still be there for a moment, in the eyes of the client. */
const RELOAD_MS = 3000
/** A client that is away for longer than this has no use for the microphone. */
const AWAY_MS = 5000
/** A browser that withholds sound from a page that nobody has touched does not say so: it starts none. */
const RESUME_MS = 5000
const WITHHELD = new Error('no sound before a key or a click')

export class Sound {
  readonly #o: SoundPorts
  /** On the speaker that the user chose, whether the phone is open or not. */
  readonly recordings = new Playback(() => this.#context, (context) => this.#sink(context))
  readonly #listeners = new Set<() => void>()
  #context: AudioContext | undefined
  #stream: MediaStream | undefined
  #source: MediaStreamAudioSourceNode | undefined
  #microphone: AudioWorkletNode | undefined
  #speaker: AudioWorkletNode | undefined
  #opening: Promise<boolean> | undefined
  #talking = false
  /** Who wants the sound besides a call: a level test, the echo room, a call about to be dialled. */
  #needs = 0
  #held = false
  #losing: ReturnType<typeof setTimeout> | undefined
  /** Chosen, and not open yet. What comes of an older choice is not wanted any more. */
  readonly #choosing = new Map<Device, { readonly id: string }>()
  state: SoundState = 'off'
  /** What was chosen last, and could not be opened: what was used before still is. */
  failed: Device | undefined
  /** Of the microphone, −dBov, for the level test. */
  onLevel: (level: number) => void = () => {}

  constructor(ports: SoundPorts) {
    this.#o = ports
  }
  get problem(): SoundProblem | undefined {
    return this.state === 'off' || this.state === 'asking' || this.state === 'on' ? undefined : this.state
  }
  /** Push to talk: nothing leaves while the key is up. It outlasts whatever happens to the connection, and a reload; the call's end ends it. */
  get pushing(): boolean {
    return sessionStorage.getItem(PUSHING) !== null
  }
  set pushing(on: boolean) {
    if (on) sessionStorage.setItem(PUSHING, '1')
    else sessionStorage.removeItem(PUSHING)
    this.#held = false
    this.#set(this.state)
  }
  /** The key is down. */
  get held(): boolean {
    return this.#held
  }
  set held(down: boolean) {
    if (down === this.#held) return
    this.#held = down && this.pushing
    this.#set(this.state)
  }
  /** The sound stays open until what this returns is called: once nobody wants it, and no call does, the microphone is given back. */
  need(): () => void {
    let needed = true
    this.#needs++
    return () => {
      if (!needed) return
      needed = false
      this.#needs--
      this.#rest()
    }
  }
  #rest(): void {
    if (this.#talking || this.#needs > 0) return
    if (this.#opening !== undefined) void this.#opening.then(() => this.#rest())
    else if (this.state === 'on') this.close()
  }
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  #set(state: SoundState): void {
    this.state = state
    for (const l of [...this.#listeners]) l()
  }

  /** Needs a click the first time: browsers ask for the microphone, and give no sound before. Never rejects: `state` says why there is none. */
  open(): Promise<boolean> {
    return (this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    }))
  }
  async #open(): Promise<boolean> {
    if (this.state === 'on') return await this.#begun(async () => await resumed(this.#context))
    this.#set('asking')
    let stream: MediaStream
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: this.#wanted() })
    } catch (e) {
      this.#set((e as DOMException).name === 'NotFoundError' ? 'missing' : 'refused')
      return false
    }
    this.#stream = stream
    return await this.#begun(async () => {
      await this.#build(stream)
      // Pulled out in the meantime: nothing will come from it.
      if (stream !== this.#stream || stream.getAudioTracks()[0]?.readyState === 'ended') throw new Error('the microphone has ended')
      this.#set('on')
    })
  }
  /** A microphone whose sound goes nowhere is given back. */
  async #begun(begin: () => Promise<void>): Promise<boolean> {
    try {
      await begin()
      return true
    } catch (e) {
      this.close()
      this.#set(e === WITHHELD ? 'withheld' : 'broken')
      return false
    }
  }
  async #build(stream: MediaStream): Promise<void> {
    const context = new AudioContext({ latencyHint: 'interactive' })
    this.#context = context
    await Promise.all([context.audioWorklet.addModule(microphoneUrl), context.audioWorklet.addModule(speakerUrl)])
    this.#microphone = new AudioWorkletNode(context, 'stc-microphone', { numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' })
    this.#microphone.port.onmessage = ({ data }: MessageEvent<{ pcm: Int16Array; level: number }>) => {
      this.onLevel(data.level)
      if (this.#talking) this.#o.speak(!this.pushing || this.#held ? data.pcm : new Int16Array(data.pcm.length))
    }
    this.#speaker = new AudioWorkletNode(context, 'stc-speaker', { numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1] })
    this.#speaker.connect(context.destination)
    this.#listen(context, stream)
    // Not in every browser; a device that is gone leaves the default.
    await this.#sink(context).catch(() => {})
    await resumed(context)
    navigator.mediaDevices.ondevicechange = () => this.#set(this.state)
  }
  #wanted(): MediaTrackConstraints {
    const chosen = this.#chosen('microphone')
    return { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1, ...(chosen === null ? {} : { deviceId: { ideal: chosen } }) }
  }
  #listen(context: AudioContext, stream: MediaStream): void {
    const source = context.createMediaStreamSource(stream)
    source.connect(this.#microphone!)
    this.#source?.disconnect()
    this.#source = source
    // Pulled out, or taken away by the system: shown, and opened again with what is left.
    stream.getAudioTracks()[0]?.addEventListener('ended', () => {
      if (stream !== this.#stream) return
      this.close()
      if (this.#talking) void this.open()
    })
  }
  async #sink(context: AudioContext & { setSinkId?(id: string): Promise<void> }): Promise<void> {
    const chosen = this.#chosen('speaker')
    if (chosen !== null) await context.setSinkId?.(chosen)
  }
  close(): void {
    this.recordings.stop()
    stop(this.#stream)
    void this.#context?.close().catch(() => {})
    this.#stream = undefined
    this.#context = undefined
    this.#source = undefined
    this.failed = undefined
    this.#microphone = undefined
    this.#speaker = undefined
    this.#set('off')
  }

  async devices(): Promise<{ readonly microphones: MediaDeviceInfo[]; readonly speakers: MediaDeviceInfo[] }> {
    const all = await navigator.mediaDevices.enumerateDevices()
    return { microphones: all.filter((d) => d.kind === 'audioinput' && d.deviceId !== ''), speakers: all.filter((d) => d.kind === 'audiooutput' && d.deviceId !== '') }
  }
  #chosen(kind: Device): string | null {
    return this.#choosing.get(kind)?.id ?? localStorage.getItem(CHOSEN[kind])
  }
  chosen(kind: Device): string {
    return this.#chosen(kind) ?? 'default'
  }
  /** What is used, or about to be: where what was chosen is not there, the browser opens another microphone. */
  used(kind: Device): string {
    return (kind === 'microphone' && !this.#choosing.has(kind) ? this.#stream?.getAudioTracks()[0]?.getSettings().deviceId : undefined) ?? this.chosen(kind)
  }
  /** Never rejects: `failed` says so, and the choice is forgotten. */
  async choose(kind: Device, id: string): Promise<void> {
    const context = this.#context
    if (this.state !== 'on' || context === undefined) return localStorage.setItem(CHOSEN[kind], id)
    const choice = { id }
    this.#choosing.set(kind, choice)
    this.failed = undefined
    const newest = (): boolean => this.#choosing.get(kind) === choice
    const fits = await (kind === 'speaker' ? this.#sink(context) : this.#change(context, id, newest)).then(() => true, () => false)
    if (!newest()) return
    this.#choosing.delete(kind)
    if (fits || context !== this.#context) localStorage.setItem(CHOSEN[kind], id)
    else this.failed = kind
    this.#set(this.state)
  }
  /** Another microphone for the sound that is open. The call may be over, or another one chosen, before the browser gives it. */
  async #change(context: AudioContext, id: string, newest: () => boolean): Promise<void> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...this.#wanted(), deviceId: { exact: id } } })
    try {
      if (!newest() || context !== this.#context) throw new Error('too late')
      this.#listen(context, stream)
    } catch (e) {
      stop(stream)
      throw e
    }
    stop(this.#stream)
    this.#stream = stream
  }

  /** The client's phone in this page began or ended a call, or its sound went to another window. */
  follow(b: BrowserState): void {
    if (b.state === 'idle' && this.pushing) this.pushing = false
    // The window that had the sound takes it again, after a reload as well. No other opens a microphone unasked.
    clearTimeout(this.#losing)
    if (b.state === 'idle' || (b.sound === 'elsewhere' && this.#talking)) sessionStorage.removeItem(HAD)
    else if (b.sound === 'elsewhere') this.#losing = setTimeout(() => sessionStorage.removeItem(HAD), RELOAD_MS)
    else if (b.sound === 'here') sessionStorage.setItem(HAD, '1')
    const talking = b.sound !== 'elsewhere' && sessionStorage.getItem(HAD) !== null
    if (talking === this.#talking) return
    this.#talking = talking
    if (!talking) return this.#silent()
    void this.open().then((open) => {
      if (open && this.#talking) this.#o.claim()
      else this.#rest()
    })
  }
  #silent(): void {
    this.held = false
    this.#speaker?.port.postMessage(null)
    this.#rest()
  }
  connectionLost(): void {
    this.#talking = false
    this.held = false
    this.#speaker?.port.postMessage(null)
    setTimeout(() => this.#rest(), AWAY_MS)
  }
  /** 20 ms of 16 kHz from the client. */
  play(pcm: Int16Array): void {
    this.#speaker?.port.postMessage(pcm)
  }
}

async function resumed(context: AudioContext | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => void (timer = setTimeout(() => reject(WITHHELD), RESUME_MS)))
  await Promise.race([context?.resume(), late]).finally(() => clearTimeout(timer))
}

function stop(stream: MediaStream | undefined): void {
  for (const t of stream?.getTracks() ?? []) t.stop()
}
