/** From nothing to the echo room: server, certificate, what to talk with. */
import type { RefObject, VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PageFault, PageSnapshot } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { connection } from '../state/store.ts'
import { faultWords, useWords } from '../words/index.ts'
import { SipPhone } from './phone.tsx'

export function Setup({ snapshot, onEcho, onRooms }: { readonly snapshot: PageSnapshot; readonly onEcho: () => void; readonly onRooms: () => void }): VNode {
  const w = useWords()
  const step = snapshot.setup?.step ?? 'done'
  const number = { server: 1, invited: 2, certificate: 2, starting: 2, passphrase: 1, done: 3 }[step]
  if (step === 'passphrase') return <div class="setup"><PassphraseStep onOpen={onRooms} /></div>
  return (
    <div class="setup">
      <p class="progress">{w.setup.heading} · {w.setup.step(number, 3)}</p>
      <span class="bar" aria-hidden="true"><span style={{ transform: `scaleX(${number / 3})` }} /></span>
      {step === 'server' && <ServerStep fault={snapshot.setup?.fault} />}
      {step === 'invited' && <InvitedStep code={snapshot.setup?.code ?? ''} fault={snapshot.setup?.fault} />}
      {(step === 'certificate' || step === 'starting') && <CertificateStep starting={step === 'starting'} fault={snapshot.setup?.fault} />}
      {step === 'done' && <PhoneStep snapshot={snapshot} onEcho={onEcho} onRooms={onRooms} />}
    </div>
  )
}

/** The next thing to do has the keyboard. */
function useFocus<E extends HTMLElement>(when: unknown = true): RefObject<E | null> {
  const target = useRef<E>(null)
  useEffect(() => {
    if (when !== false) target.current?.focus()
  }, [when])
  return target
}

const Problem = ({ fault }: { readonly fault: PageFault | undefined }): VNode | null => {
  const w = useWords()
  return fault === undefined ? null : <p class="problem" role="alert"><Icon name="warning" /> {faultWords(w, fault)} <code>{fault.code}</code></p>
}

interface FieldStepProps {
  readonly id: string
  readonly title: string
  readonly label: string
  readonly hint: string
  readonly password?: true
  /** What happened before, elsewhere. */
  readonly earlier?: PageFault | undefined
  readonly go: string
  readonly going: string
  /** What came of it; nothing: the next step shows by itself. */
  readonly send: (value: string) => Promise<PageFault | undefined>
}

/** One thing to type, and what is wrong with it. */
function FieldStep({ id, title, label, hint, password, earlier, go, going, send }: FieldStepProps): VNode {
  const [value, setValue] = useState('')
  const field = useFocus<HTMLInputElement>()
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState(earlier)
  useEffect(() => setFault(earlier), [earlier])
  const submit = async (): Promise<void> => {
    setBusy(true)
    setFault(await send(value))
    setBusy(false)
  }
  const common = { id, value, ref: field, autocomplete: 'off', spellcheck: false, 'aria-describedby': `${id}-hint`, onInput: (e: { readonly currentTarget: HTMLInputElement }) => setValue(e.currentTarget.value) } as const
  return (
    <form class="card" onSubmit={(e) => {
      e.preventDefault()
      void submit()
    }}>
      <h1>{title}</h1>
      <div class="field">
        <label for={id}>{label}</label>
        {password ? <input {...common} type="password" /> : <input {...common} type="text" />}
        <p id={`${id}-hint`} class="quiet">{hint}</p>
      </div>
      <Problem fault={fault} />
      <div class="row end"><button type="submit" class="primary" disabled={busy || value.trim() === ''}>{busy ? going : go}</button></div>
    </form>
  )
}

function ServerStep({ fault }: { readonly fault: PageFault | undefined }): VNode {
  const { setup } = useWords()
  return <FieldStep id="server" title={setup.serverTitle} label={setup.serverField} hint={setup.serverHint} earlier={fault} go={setup.next} going={setup.checking} send={(server) => connection.command('setup.server', { server: server.trim() })} />
}

/** The key is sealed on the disk, and no keyring opens it. */
function PassphraseStep({ onOpen }: { readonly onOpen: () => void }): VNode {
  const { setup } = useWords()
  // In every window, whoever opened it.
  useEffect(() => onOpen, [])
  return <FieldStep id="passphrase" password title={setup.lockedTitle} label={setup.passphrase} hint={setup.lockedHow} go={setup.unlock} going={setup.opening} send={(passphrase) => connection.command('setup.passphrase', { passphrase })} />
}

/** The code goes to whoever invited; the rest comes by itself. */
function InvitedStep({ code, fault }: { readonly code: string; readonly fault: PageFault | undefined }): VNode {
  const w = useWords()
  return (
    <section class="card">
      <h1>{w.setup.invitedTitle}</h1>
      <p>{w.setup.invitedHow}</p>
      <p class="invited-code">{code}</p>
      <p class="waiting" role="status"><span class="dots" aria-hidden="true" /> {w.setup.invitedWait}</p>
      <Problem fault={fault} />
      <p class="quiet">{w.setup.private}</p>
      <div class="row end"><button type="button" onClick={() => void connection.command('setup.back', {})}>{w.setup.anotherLink}</button></div>
    </section>
  )
}

function CertificateStep({ starting, fault: earlier }: { readonly starting: boolean; readonly fault: PageFault | undefined }): VNode {
  const w = useWords()
  const [files, setFiles] = useState<readonly File[]>([])
  const [passphrase, setPassphrase] = useState('')
  const [fault, setFault] = useState(earlier)
  useEffect(() => setFault(earlier), [earlier])
  const input = useRef<HTMLInputElement>(null)
  const button = useFocus<HTMLButtonElement>()
  const passphraseField = useRef<HTMLInputElement>(null)
  const locked = fault?.code === 'IDENTITY_PASSPHRASE_NEEDED' || fault?.code === 'IDENTITY_PASSPHRASE_WRONG'
  useEffect(() => {
    if (locked) passphraseField.current?.focus()
  }, [locked])
  const send = async (chosen: readonly File[]): Promise<void> => {
    setFiles(chosen)
    if (chosen.length === 0) return
    const contents = await Promise.all(chosen.map(async (f) => base64(new Uint8Array(await f.arrayBuffer()))))
    setFault(await connection.command('setup.identity', { files: contents, passphrase }))
  }
  return (
    <form class="card" onSubmit={(e) => {
      e.preventDefault()
      void send(files)
    }} onDragOver={(e) => e.preventDefault()} onDrop={(e) => {
      e.preventDefault()
      void send([...(e.dataTransfer?.files ?? [])])
    }}>
      <h1>{w.setup.certificateTitle}</h1>
      <p>{w.setup.certificateHow}</p>
      <div class="drop">
        <input ref={input} id="files" hidden type="file" multiple accept=".pem,.crt,.cer,.der,.key,.p7b,.p7c,.p12,.pfx,.txt" onChange={(e) => void send([...(e.currentTarget.files ?? [])])} />
        <button type="button" class="primary" ref={button} disabled={starting} onClick={() => input.current?.click()}>{starting ? w.setup.starting : w.setup.choose}</button>
        <span class="quiet">{files.length === 0 ? w.setup.drop : `${w.setup.files(files.length)}: ${files.map((f) => f.name).join(', ')}`}</span>
      </div>
      {locked && (
        <div class="field">
          <label for="passphrase">{w.setup.passphrase}</label>
          <input id="passphrase" type="password" autocomplete="off" value={passphrase} onInput={(e) => setPassphrase(e.currentTarget.value)} aria-describedby="passphrase-hint" ref={passphraseField} />
          <p id="passphrase-hint" class="quiet">{w.setup.passphraseHint}</p>
        </div>
      )}
      <Problem fault={fault} />
      <p class="quiet">{w.setup.private}</p>
      <div class="row end">
        {!starting && <button type="button" onClick={() => void connection.command('setup.back', {})}>{w.setup.anotherLink}</button>}
        {locked && <button type="submit" class="primary">{w.setup.next}</button>}
      </div>
    </form>
  )
}

function PhoneStep({ snapshot, onEcho, onRooms }: { readonly snapshot: PageSnapshot; readonly onEcho: () => void; readonly onRooms: () => void }): VNode {
  const w = useWords()
  const [sip, setSip] = useState(false)
  const first = useFocus<HTMLButtonElement>(snapshot.server.state === 'up')
  if (sip) {
    return (
      <>
        <SipPhone phones={snapshot.phones} dial={snapshot.echoDial} />
        <div class="row end"><button type="button" onClick={() => setSip(false)}>{w.setup.back}</button><button type="button" class="primary" onClick={onRooms}>{w.setup.goOn}</button></div>
      </>
    )
  }
  return (
    <section class="card">
      <h1>{w.setup.phoneTitle}</h1>
      <div class="choices">
        <button type="button" class="choice" ref={first} disabled={snapshot.server.state !== 'up'} onClick={onEcho}><Icon name="microphone" /><strong>{w.setup.phoneBrowser}</strong><span class="quiet">{w.setup.phoneBrowserHow}</span></button>
        <button type="button" class="choice" onClick={() => setSip(true)}><Icon name="phone" /><strong>{w.setup.phoneSip}</strong><span class="quiet">{w.setup.phoneSipHow}</span></button>
      </div>
      {snapshot.server.state === 'up' ? null : <p class="quiet" role="status">{w.server.connecting(snapshot.server.name)}</p>}
    </section>
  )
}

function base64(octets: Uint8Array): string {
  let text = ''
  for (const o of octets) text += String.fromCharCode(o)
  return btoa(text)
}
