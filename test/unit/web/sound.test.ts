/** The page's microphone, speaker and recordings, in a browser that is made up: everything that takes time there waits to be let go. */
import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { after, beforeEach, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Pretended } from '../../kit/pretended.ts'

/** Of another world: the types of a browser are not these of Node. What the bundler makes of a worklet is an address. */
const hooks = registerHooks({
  resolve: (name, context, next) => (name.endsWith('?worker&url') ? { url: `data:text/javascript,export default ''`, shortCircuit: true } : next(name, context)),
})
const MODULE = '../../../src/web/audio/sound.ts'
interface PageSound {
  readonly state: string
  readonly failed: string | undefined
  readonly recordings: { play(parts: readonly { name: string; pcm: Int16Array }[], tell?: (name: string | undefined) => void): Promise<boolean>; stop(): void }
  open(): Promise<boolean>
  close(): void
  need(): () => void
  choose(kind: 'microphone' | 'speaker', id: string): Promise<void>
  used(kind: 'microphone' | 'speaker'): string
  chosen(kind: 'microphone' | 'speaker'): string
  subscribe(listener: () => void): () => void
  follow(b: object): void
}

class Track {
  readonly id: string
  readyState = 'live'
  #onEnded = (): void => {}
  constructor(id: string) {
    this.id = id
  }
  getSettings(): object {
    return { deviceId: this.id }
  }
  addEventListener(_: string, l: () => void): void {
    this.#onEnded = l
  }
  stop(): void {
    this.readyState = 'ended'
  }
  /** By itself: a browser tells nobody of `stop()`. */
  end(): void {
    this.stop()
    this.#onEnded()
  }
}
interface Asked {
  readonly id: string | undefined
  give(): Track
  refuse(name: string): void
}
class Node {
  readonly port = { onmessage: undefined, postMessage: () => {} }
  buffer: { pcm: Float32Array } | undefined
  onended = (): void => {}
  connect(): void {}
  disconnect(): void {}
  start(): void {
    heard.push(this)
  }
  stop(): void {
    const i = heard.indexOf(this)
    if (i >= 0) heard.splice(i, 1)
    queueMicrotask(() => this.onended())
  }
}
class Context {
  readonly audioWorklet = { addModule: () => worklets() }
  readonly destination = {}
  speaker = 'default'
  closed = false
  resume = (): Promise<void> => (this.closed ? Promise.reject(new Error('closed')) : resumes())
  constructor() {
    contexts.push(this)
  }
  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
  setSinkId(id: string): Promise<void> {
    if (id === 'gone') return Promise.reject(new Error('no such speaker'))
    this.speaker = id
    return Promise.resolve()
  }
  createMediaStreamSource(): Node {
    return new Node()
  }
  createBuffer(): object {
    const buffer = { pcm: new Float32Array(0), copyToChannel: (pcm: Float32Array<ArrayBuffer>) => void (buffer.pcm = pcm) }
    return buffer
  }
  createBufferSource(): Node {
    return new Node()
  }
}
let asked: Asked[] = []
let tracks: Track[] = []
let contexts: Context[] = []
let heard: Node[] = []
let worklets = (): Promise<void> => Promise.resolve()
let resumes = (): Promise<void> => Promise.resolve()
const live = (): string[] => tracks.filter((t) => t.readyState === 'live').map((t) => t.id)
const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn()
}
const storage = (): object => {
  const kept = new Map<string, string>()
  return { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) }
}
function getUserMedia({ audio }: { audio: { deviceId?: { ideal?: string; exact?: string } } }): Promise<object> {
  const id = audio.deviceId?.exact ?? audio.deviceId?.ideal
  return new Promise((resolve, reject) => {
    asked.push({
      id,
      give: () => {
        const track = new Track(id ?? 'default')
        tracks.push(track)
        resolve({ getTracks: () => [track], getAudioTracks: () => [track] })
        return track
      },
      refuse: (name) => reject(Object.assign(new Error(name), { name })),
    })
  })
}

const window = new Pretended()
after(() => {
  window.end()
  hooks.deregister()
})
const { Sound } = await (async () => {
  window.has({ navigator: { mediaDevices: { getUserMedia } }, AudioContext: Context, AudioWorkletNode: Node })
  return (await import(MODULE)) as { Sound: new (ports: object) => PageSound }
})()

beforeEach(() => {
  window.has({ localStorage: storage(), sessionStorage: storage() })
  asked = []
  tracks = []
  contexts = []
  heard = []
  worklets = resumes = () => Promise.resolve()
})
const made = (): PageSound => new Sound({ speak: () => {}, claim: () => {} })
async function opened(): Promise<PageSound> {
  const sound = made()
  const open = sound.open()
  asked.pop()!.give()
  assert.equal(await open, true)
  return sound
}

test('a microphone that arrives after its test ended is given back', async () => {
  const sound = await opened()
  const choosing = sound.choose('microphone', 'headset')
  sound.close()
  asked[0]!.give()
  await choosing
  assert.deepEqual([sound.state, live()], ['off', []])
  // It is what the next call opens.
  void sound.open()
  assert.equal(asked[1]!.id, 'headset')
})

test('a microphone that arrives when another call has begun does not take the place of that one', async () => {
  const sound = await opened()
  const choosing = sound.choose('microphone', 'headset')
  sound.close()
  const open = sound.open()
  assert.equal(asked[1]!.id, 'headset', 'the choice is forgotten')
  const now = asked[1]!.give()
  await open
  asked[0]!.give()
  await choosing
  assert.deepEqual(tracks.filter((t) => t.readyState === 'live'), [now])
})

test('of two quick choices the newer one stays, in whichever order they arrive', async () => {
  for (const order of [[0, 1], [1, 0]]) {
    const sound = await opened()
    asked = []
    const both = [sound.choose('microphone', 'headset'), sound.choose('microphone', 'webcam')]
    for (const i of order) {
      asked[i]!.give()
      await settled()
    }
    await Promise.all(both)
    assert.deepEqual([live(), sound.used('microphone'), sound.chosen('microphone')], [['webcam'], 'webcam', 'webcam'])
    sound.close()
    localStorage.removeItem('stc-microphone')
  }
})

test('a choice that cannot be opened is said, and what was used before still is', async () => {
  const sound = await opened()
  let told = 0
  sound.subscribe(() => void told++)
  const [first, second] = [sound.choose('microphone', 'headset'), sound.choose('microphone', 'webcam')]
  assert.equal(sound.used('microphone'), 'webcam', 'while it is being opened')
  asked[0]!.give()
  asked[1]!.refuse('NotReadableError')
  await Promise.all([first, second])
  assert.deepEqual([sound.failed, sound.used('microphone'), sound.chosen('microphone'), live()], ['microphone', 'default', 'default', ['default']])
  assert.ok(told > 0, 'nobody draws it')
  const third = sound.choose('microphone', 'headset')
  assert.equal(sound.failed, undefined)
  asked[2]!.give()
  await third
  assert.deepEqual([sound.failed, live()], [undefined, ['headset']])
  await sound.choose('speaker', 'gone')
  assert.deepEqual([sound.failed, sound.chosen('speaker')], ['speaker', 'default'])
})

test('a microphone in place of the one that was chosen is shown as what it is', async () => {
  localStorage.setItem('stc-microphone', 'headset')
  const sound = made()
  const open = sound.open()
  const track = asked[0]!.give() as { id: string }
  track.id = 'built-in'
  await open
  assert.deepEqual([sound.used('microphone'), sound.chosen('microphone')], ['built-in', 'headset'])
})

test('a microphone is broken that gives nothing, or ends while it is opened; the next try opens it', async () => {
  const sound = made()
  worklets = () => Promise.reject(new Error('no sound in this browser'))
  const none = sound.open()
  asked[0]!.give()
  assert.deepEqual([await none, sound.state, live(), contexts.map((c) => c.closed)], [false, 'broken', [], [true]])
  worklets = () => Promise.resolve()
  for (const when of ['worklets', 'resumes']) {
    let go = (): void => {}
    const until = new Promise<void>((resolve) => void (go = resolve))
    const waits = (): Promise<void> => until
    if (when === 'worklets') worklets = waits
    else resumes = waits
    const open = sound.open()
    const track = asked.at(-1)!.give()
    await settled()
    track.end()
    worklets = resumes = () => Promise.resolve()
    go()
    assert.deepEqual([await open, sound.state, live()], [false, 'broken', []], when)
  }
  const again = sound.open()
  asked.at(-1)!.give()
  assert.deepEqual([await again, sound.state, live()], [true, 'on', ['default']])
})

test('sound that a browser withholds until somebody touches the page is waited for in vain only so long; the microphone is given back, and the next try opens it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sound = made()
  resumes = () => new Promise(() => {})
  const open = sound.open()
  asked[0]!.give()
  await settled()
  t.mock.timers.tick(4999)
  await settled()
  assert.equal(sound.state, 'asking')
  t.mock.timers.tick(1)
  await settled()
  assert.deepEqual([sound.state, live()], ['withheld', []])
  assert.equal(await open, false)
  resumes = () => Promise.resolve()
  const again = sound.open()
  asked[1]!.give()
  assert.equal(await again, true)
  t.mock.timers.tick(10_000)
  assert.deepEqual([sound.state, live()], ['on', ['default']])
})

test('no microphone, and one that is not allowed, are told apart', async () => {
  const sound = made()
  for (const [error, state] of [['NotFoundError', 'missing'], ['NotAllowedError', 'refused']] as const) {
    const open = sound.open()
    asked.at(-1)!.refuse(error)
    assert.deepEqual([await open, sound.state], [false, state])
  }
})

test('a microphone that is pulled out in a call is opened anew with what is left; outside one it is off', async () => {
  const sound = await opened()
  tracks[0]!.end()
  await settled()
  assert.deepEqual([sound.state, asked.length], ['off', 0])
  sound.follow({ state: 'talking', sound: 'here' })
  asked[0]!.give()
  await settled()
  tracks.at(-1)!.end()
  assert.equal(sound.state, 'asking')
  asked[1]!.refuse('NotFoundError')
  await settled()
  assert.equal(sound.state, 'missing')
})

test('nobody who wants the sound any more: the microphone is given back, even if it comes later', async () => {
  const sound = made()
  const done = sound.need()
  void sound.open()
  done()
  asked[0]!.give()
  await settled()
  assert.deepEqual([sound.state, live()], ['off', []])
})

const PARTS = [{ name: 'server', pcm: new Int16Array(10) }, { name: 'members', pcm: new Int16Array(20) }]
const lengths = (): number[] => heard.map((n) => n.buffer!.pcm.length)

test('one recording follows the other', async () => {
  const sound = await opened()
  const told: (string | undefined)[] = []
  const played = sound.recordings.play(PARTS, (name) => told.push(name))
  for (const n of [10, 20]) {
    await settled()
    assert.deepEqual(lengths(), [n])
    heard[0]!.stop()
  }
  assert.equal(await played, true)
  assert.deepEqual(told, ['server', 'members', undefined])
})

test('what is stopped goes on with nothing: not with the next recording, and not after the microphone was given back', async () => {
  for (const how of ['stop', 'close']) {
    const sound = await opened()
    const told: (string | undefined)[] = []
    const played = sound.recordings.play(PARTS, (name) => told.push(name))
    await settled()
    if (how === 'stop') sound.recordings.stop()
    else sound.close()
    assert.equal(await played, false)
    await settled()
    assert.deepEqual([lengths(), told], [[], ['server', undefined]], how)
  }
})

test('what is stopped before it began never begins', async () => {
  const sound = await opened()
  let go = (): void => {}
  resumes = () => new Promise((resolve) => void (go = resolve))
  const played = sound.recordings.play(PARTS)
  sound.recordings.stop()
  go()
  assert.equal(await played, false)
  assert.deepEqual(lengths(), [])
})

test('whoever presses play hears that, once, and nothing of the list before', async () => {
  const sound = await opened()
  const told: (string | undefined)[] = []
  const tell = (name: string | undefined): void => void told.push(name)
  const first = sound.recordings.play(PARTS, tell)
  await settled()
  const second = sound.recordings.play([PARTS[0]!], tell)
  assert.equal(await first, false)
  await settled()
  assert.deepEqual([lengths(), told], [[10], ['server', undefined, 'server']])
  heard[0]!.stop()
  assert.equal(await second, true)
  assert.deepEqual([lengths(), told.at(-1)], [[], undefined])
})

test('without a microphone a recording goes to the chosen speaker too, and its sound is closed again', async () => {
  localStorage.setItem('stc-speaker', 'headset')
  const played = made().recordings.play([PARTS[0]!])
  await settled()
  assert.deepEqual(contexts.map((c) => [c.speaker, c.closed]), [['headset', false]])
  heard[0]!.stop()
  await played
  assert.deepEqual(contexts.map((c) => c.closed), [true])
})
