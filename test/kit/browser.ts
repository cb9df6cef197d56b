/** Debian's Chromium, driven from outside: a fake microphone that plays a file in a loop, and all that its speaker plays. */
import type { TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { resample } from '../../src/audio/resample.ts'
import { until } from './processes.ts'

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
]

/** What the recorder in the page keeps. */
const KEPT_S = 40

export interface BrowserOptions {
  /** WAV file. */
  readonly microphone?: string
  /** As browsers do: no sound before the user has done something in the page. */
  readonly strictAutoplay?: true
  readonly dark?: boolean
  readonly locale?: string
  readonly viewport?: { readonly width: number; readonly height: number }
}

export interface TestBrowser {
  readonly browser: Browser
  readonly context: BrowserContext
  readonly page: Page
  /** What its console and its errors said. */
  readonly complaints: string[]
  /** 16 kHz mono, since `forget` or the start; the last 40 s, or so many: to read out costs the page the time in which it records. */
  heard(last?: number): Promise<Int16Array>
  forget(): Promise<void>
}

export async function startBrowser(t: TestContext, o: BrowserOptions = {}): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...FLAGS, ...(o.strictAutoplay === true ? ['--autoplay-policy=document-user-activation-required'] : ['--autoplay-policy=no-user-gesture-required']), ...(o.microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${o.microphone}`])] })
  t.after(() => browser.close())
  const context = await browser.newContext({ viewport: o.viewport ?? { width: 1280, height: 860 }, colorScheme: o.dark === true ? 'dark' : 'light', locale: o.locale ?? 'en-GB', reducedMotion: 'reduce' })
  context.setDefaultTimeout(80_000)
  await context.addInitScript(recordSpeaker)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (m) => {
    // The recorder above is not the page's.
    if ((m.type() === 'error' || m.type() === 'warning') && !m.text().includes('ScriptProcessorNode')) complaints.push(m.text())
  })
  page.on('pageerror', (e) => complaints.push(e.message))
  const heard = async (last = KEPT_S): Promise<Int16Array> => {
    const { rate, pcm } = await page.evaluate(takeHeard, last)
    const octets = Buffer.from(pcm, 'base64')
    return resample(new Int16Array(octets.buffer, octets.byteOffset, octets.length / 2), rate, 16_000)
  }
  return { browser, context, page, complaints, heard, forget: async () => void (await page.evaluate(forgetHeard)) }
}

interface Recorder {
  stcHeard?: { rate: number; parts: Int16Array[] }
}
interface RecordedContext {
  readonly sampleRate: number
  readonly destination: unknown
  createScriptProcessor(n: number, i: number, o: number): Record<string, unknown>
  createGain(): unknown
  stcTap?: unknown
}

/** Waits until the page says so: what belongs together may be drawn one after the other. */
export async function becomes<T>(what: string, read: () => Promise<T>, wanted: T): Promise<void> {
  let last: T | undefined
  await until(10_000, what, async () => isDeepStrictEqual((last = await read()), wanted) || undefined, () => `it is ${JSON.stringify(last)}`, 50)
}

/** In the page: whatever is connected to the speaker is recorded as it plays, all of it mixed. */
function recordSpeaker(): void {
  const w = globalThis as unknown as Recorder & { AudioNode: { prototype: { connect: (...a: unknown[]) => unknown } }; AudioDestinationNode: new () => unknown }
  const connect = w.AudioNode.prototype.connect
  const tapOf = (context: RecordedContext): unknown => {
    if (context.stcTap !== undefined) return context.stcTap
    const tap = context.createGain()
    const recorder = context.createScriptProcessor(4096, 1, 1)
    const heard = (w.stcHeard ??= { rate: context.sampleRate, parts: [] })
    recorder['onaudioprocess'] = (e: { inputBuffer: { getChannelData: (c: number) => Float32Array } }) => {
      heard.parts.push(Int16Array.from(e.inputBuffer.getChannelData(0), (x) => Math.max(-1, Math.min(1, x)) * 32_767))
      // Whatever is judged is younger than 40 s; to read out more would cost the page the time in which it plays.
      if (heard.parts.length > 470) heard.parts.shift()
    }
    connect.call(tap, recorder)
    connect.call(recorder, context.destination)
    connect.call(tap, context.destination)
    context.stcTap = tap
    return tap
  }
  w.AudioNode.prototype.connect = function (this: { context: RecordedContext }, ...a: unknown[]) {
    return connect.apply(this, a[0] instanceof w.AudioDestinationNode ? [tapOf(this.context)] : a)
  }
}
function takeHeard(last: number): { rate: number; pcm: string } {
  const { rate, parts } = (globalThis as unknown as Recorder).stcHeard ?? { rate: 48_000, parts: [] }
  let text = ''
  for (const p of parts.slice(-Math.ceil((last * rate) / 4096))) text += String.fromCharCode(...new Uint8Array(p.buffer))
  return { rate, pcm: btoa(text) }
}
function forgetHeard(): void {
  const heard = (globalThis as unknown as Recorder).stcHeard
  if (heard !== undefined) heard.parts.length = 0
}
