/** What the user talks with: this browser's microphone and speaker, or a SIP phone. */
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { renderSVG } from 'uqr'
import type { PageLine, PagePhone } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { lengthOf, SPEAKING } from '../state/levels.ts'
import { sound, useSound } from '../state/store.ts'
import { useWords, type Words } from '../words/index.ts'
import { LineState } from './line.tsx'

export function BrowserPhone({ level = 2, line }: { readonly level?: 1 | 2; readonly line?: PageLine | undefined }): VNode {
  const w = useWords()
  const s = useSound()
  const Heading = `h${level}` as 'h1' | 'h2'
  const [devices, setDevices] = useState<Awaited<ReturnType<typeof sound.devices>>>({ microphones: [], speakers: [] })
  useEffect(() => s.need(), [])
  useEffect(() => {
    void s.devices().then(setDevices)
  }, [s.state])
  return (
    <section class="card sound" aria-labelledby="browser-phone">
      <Heading id="browser-phone">{w.phone.browser}</Heading>
      <p class="quiet">{w.phone.browserHow}</p>
      {line !== undefined && <LineState line={line} />}
      {s.problem !== undefined && <p class="problem" role="alert"><Icon name="warning" /> {w.phone[s.problem]}</p>}
      {s.state === 'on' ? (
        <>
          <Choice id="microphone" label={w.phone.microphone} devices={devices.microphones} />
          <LevelTest />
          <Choice id="speaker" label={w.phone.speaker} devices={devices.speakers} />
          <div class="row"><button type="button" onClick={() => void s.recordings.play([{ name: 'tone', pcm: testTone() }])}>{w.phone.testTone}</button></div>
        </>
      ) : <button type="button" class="primary" onClick={() => void s.open()}>{s.state === 'off' || s.state === 'asking' ? w.phone.start : w.phone.retry}</button>}
      <Notifying />
    </section>
  )
}

/** Calls that come while another window is in front. */
function Notifying(): VNode | null {
  const w = useWords()
  const [, redraw] = useState(0)
  if (!('Notification' in window) || Notification.permission === 'denied') return null
  if (Notification.permission === 'granted') return <p class="good notifying"><Icon name="check" /> {w.phone.notifying}</p>
  return <div class="row notifying"><button type="button" onClick={() => void Notification.requestPermission().then(() => redraw((n) => n + 1))}>{w.phone.notify}</button></div>
}

function Choice({ id, label, devices }: { readonly id: 'microphone' | 'speaker'; readonly label: string; readonly devices: readonly MediaDeviceInfo[] }): VNode {
  const w = useWords()
  const used = sound.used(id)
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={devices.some((d) => d.deviceId === used) ? used : devices[0]?.deviceId ?? 'default'} onChange={(e) => void sound.choose(id, e.currentTarget.value)}>
        {devices.length === 0 && <option value="default">{w.phone.standard}</option>}
        {devices.map((d, i) => <option key={d.deviceId} value={d.deviceId}>{d.label === '' ? `${label} ${i + 1}` : d.label}</option>)}
      </select>
      {sound.failed === id && <p class="problem" role="alert"><Icon name="warning" /> {w.phone.unusable}</p>}
    </div>
  )
}

function LevelTest(): VNode {
  const w = useWords()
  const bar = useRef<HTMLSpanElement>(null)
  const [heard, setHeard] = useState(false)
  useEffect(() => {
    sound.onLevel = (level) => {
      if (bar.current !== null) bar.current.style.transform = `scaleX(${lengthOf(level).toFixed(2)})`
      if (level < SPEAKING) setHeard(true)
    }
    return () => {
      sound.onLevel = () => {}
    }
  }, [])
  return (
    <div class="level-test">
      <p>{w.phone.testLevel}</p>
      <span class="meter big" aria-hidden="true"><span ref={bar} /></span>
      <p role="status" class={heard ? 'good' : 'quiet'}>{heard ? <><Icon name="check" /> {w.phone.levelGood}</> : w.phone.levelNone}</p>
    </div>
  )
}

/** Half a second of a soft, low chord. */
function testTone(): Int16Array {
  return Int16Array.from({ length: 9600 }, (_, i) => {
    const t = i / 16_000
    return 5000 * Math.sin(Math.PI * Math.min(1, t / 0.6)) * (Math.sin(2 * Math.PI * 392 * t) + 0.6 * Math.sin(2 * Math.PI * 587 * t))
  })
}

const SOFTPHONES = ['linphone', 'zoiper', 'microsip', 'groundwire', 'baresip', 'other'] as const
const NAMES = { linphone: 'Linphone', zoiper: 'Zoiper', microsip: 'MicroSIP', groundwire: 'Groundwire', baresip: 'baresip', other: '' } as const

export function SipPhone({ phones, dial }: { readonly phones: readonly PagePhone[]; readonly dial: string }): VNode {
  const w = useWords()
  return (
    <section class="card sip" aria-labelledby="sip-phone">
      <h2 id="sip-phone">{w.phone.soft}</h2>
      {phones.length === 0 ? <p class="quiet">{w.phone.none}</p> : <p class="quiet">{w.phone.softHow}</p>}
      {phones.map((p) => <OnePhone key={p.line} phone={p} dial={dial} />)}
    </section>
  )
}

function OnePhone({ phone, dial }: { readonly phone: PagePhone; readonly dial: string }): VNode {
  const w = useWords()
  const [which, setWhich] = useState<(typeof SOFTPHONES)[number]>('linphone')
  const there = phone.registered.length > 0
  const transport = phone.transports[0] ?? 'udp'
  return (
    <div class="one-phone">
      <p role="status" class={there ? 'good big' : 'waiting'}>{there ? <><Icon name="check" /> {w.phone.registered}</> : <><span class="dots" aria-hidden="true" /> {w.phone.waiting}</>}</p>
      <div class="tabs" role="group" aria-label={w.phone.soft}>
        {SOFTPHONES.map((s) => <button type="button" key={s} aria-pressed={s === which} onClick={() => setWhich(s)}>{s === 'other' ? w.phone.other : NAMES[s]}</button>)}
      </div>
      <p class="quiet">{w.phone.where[which]}</p>
      {which === 'baresip'
        ? <pre tabIndex={0}>{`<sip:${phone.user}@${phone.address};transport=${transport}>;auth_pass=${phone.password ? '…' : 'none'};regint=60`}</pre>
        : <dl class="facts-list">{fieldsOf(w, phone, dial, transport).map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>}
      <div class="qr">
        <Qr text={`sip:${phone.user}@${phone.address};transport=${transport}`} label={w.phone.qr} />
        <p class="quiet">{w.phone.qrHow}<br /><code>sip:{phone.user}@{phone.address}</code></p>
      </div>
    </div>
  )
}

const fieldsOf = (w: Words, p: PagePhone, dial: string, transport: string): readonly (readonly [string, string])[] => [
  [w.phone.field.user, p.user], [w.phone.field.domain, p.address], [w.phone.field.proxy, p.address], [w.phone.field.transport, transport.toUpperCase()],
  [w.phone.field.password, p.password ? w.phone.password : w.phone.noPassword], [w.phone.field.dial, dial],
]

function Qr({ text, label }: { readonly text: string; readonly label: string }): VNode {
  // The library gives markup; the page takes no markup from anywhere, so its squares are read out of it.
  const d = /<path[^>]* d="([^"]+)"/.exec(renderSVG(text, { border: 2, pixelSize: 1 }))?.[1] ?? ''
  const size = /viewBox="0 0 (\d+) /.exec(renderSVG(text, { border: 2, pixelSize: 1 }))?.[1] ?? '33'
  return <svg class="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}><path d={d} /></svg>
}
