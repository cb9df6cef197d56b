/** One person, on demand: certificate, where the keys are, volume, and for hosts what can be done. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { displayName } from '../../model/identity.ts'
import type { Member } from '../../model/roster.ts'
import { Ask, Dialog } from '../parts/small.tsx'
import type { CallView } from '../state/state.ts'
import type { PagePerson } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { connection, current } from '../state/store.ts'
import { day, useWords } from '../words/index.ts'
import { Unheard } from './unheard.tsx'

export function MemberDetails({ call, member: m, person, onClose }: { readonly call: CallView; readonly member: Member; readonly person: PagePerson | undefined; readonly onClose: () => void }): VNode {
  const w = useWords()
  const { identity } = m
  const name = displayName(identity)
  const weAreHost = call.roster.members.find((x) => x.self)?.role !== undefined
  const acts = call.roster.conference?.weAreHost === true || (call.roster.kind === 'bridged' && m.self)
  const [asking, setAsking] = useState(false)
  const rows: readonly (readonly [string, string | undefined])[] = [
    [w.certificate.name, identity.subject], [w.certificate.organisation, identity.organisation], [w.certificate.mail, identity.emails.join(', ')],
    [w.certificate.issuer, identity.issuer], [w.certificate.valid, `${day(identity.notBefore)} – ${day(identity.notAfter)}`],
    [w.certificate.protection, protection(w, m)],
    [w.members.volumeShort, undefined], [w.certificate.serial, identity.serial], [w.certificate.key, inGroups(identity.keyId)], [w.certificate.fingerprint, inGroups(identity.fingerprint)],
  ]
  return (
    <Dialog title={name} onClose={onClose}>
      {m.unheard !== undefined && <p class="unheard">{w.members.unheard}: <Unheard code={m.unheard} /></p>}
      {m.acquaintance !== undefined && !m.self && <p class={m.acquaintance.kind === 'changed' ? 'problem' : 'quiet'}>{m.acquaintance.kind === 'changed' ? w.acquaintance.changedHow : w.acquaintance[m.acquaintance.kind]}</p>}
      {!m.self && call.roster.kind !== 'open' && call.roster.sealedCall === undefined && <Pairwise member={m} />}
      {m.phoneLeg !== undefined && <p class="quiet">{w.members.phoneLeg[m.phoneLeg]}</p>}
      <h3>{w.certificate.heading}</h3>
      <dl class="facts-list">
        {rows.filter(([, v]) => v !== undefined && v !== '').map(([k, v]) => <div key={k}><dt>{k}</dt><dd><bdi>{v}</bdi></dd></div>)}
      </dl>
      <p class="quiet">{w.certificate.checked}</p>
      {asking && (
        <Ask label={w.members.removeAsk(name)}>
          <p><strong>{w.members.removeAsk(name)}</strong></p>
          <p class="quiet">{w.members.removeHow}</p>
          <Remove call={call.id} keyId={identity.keyId} onDone={onClose} onCancel={() => setAsking(false)} />
        </Ask>
      )}
      <div class="row end">
        {!m.self && person !== undefined && <Block person={person} />}
        {!m.self && !asking && weAreHost && <button type="button" class="danger plain" onClick={() => setAsking(true)}>{w.members.remove}</button>}
        {acts && <PbxActs call={call.id} member={m.leaf} muted={m.presence?.muted === true} onDone={onClose} />}
        <button type="button" class="primary" onClick={onClose}>{w.dismiss}</button>
      </div>
    </Dialog>
  )
}

/** The code with this one person, whatever the call: compared once, it holds for as long as both keep their keys. */
function Pairwise({ member: m }: { readonly member: Member }): VNode {
  const w = useWords().pairwise
  const [open, setOpen] = useState(false)
  const { keyId } = m.identity
  const name = displayName(m.identity)
  const code = current().pairwise?.[keyId]
  const { compared = false, comparedAt } = m.acquaintance ?? {}
  const show = (): void => {
    setOpen(!open)
    if (!open) void connection.command('pairwise', { keyId })
  }
  return (
    <div class="pairwise">
      <p class={compared ? 'good' : 'quiet'}>{compared ? <><Icon name="check" /> {comparedAt === undefined ? w.done : w.doneOn(day(comparedAt))}</> : w.not(name)}</p>
      <button type="button" aria-expanded={open} onClick={show}>{open ? w.hide : w.show}</button>
      {open && code !== undefined && (
        <>
          <p class="groups">{code.split(' ').map((g) => <span key={g}>{g}</span>)}</p>
          <p class="quiet">{w.how(name)}</p>
          {!compared && <button type="button" class="primary" onClick={() => void connection.command('compared', { keyId }).then(() => setOpen(false))}>{w.same}</button>}
        </>
      )}
    </div>
  )
}

function Block({ person }: { readonly person: PagePerson }): VNode {
  const w = useWords().people
  const { name, to, blocked } = person
  const [asking, setAsking] = useState(false)
  const block = (on: boolean): void => void connection.command('block', { keyId: to, blocked: on }).then(() => setAsking(false))
  if (blocked) return <button type="button" onClick={() => block(false)}>{w.unblock}</button>
  if (!asking) return <button type="button" class="danger plain" onClick={() => setAsking(true)}>{w.block}</button>
  return (
    <Ask label={w.blockAsk(name)}>
      <p><strong>{w.blockAsk(name)}</strong></p>
      <p class="quiet">{w.blockHow}</p>
      <div class="row end"><button type="button" onClick={() => setAsking(false)}>{w.keep}</button><button type="button" class="danger" onClick={() => block(true)}>{w.block}</button></div>
    </Ask>
  )
}

/** What hosts do in a conference of the PBX to one presence, with a certificate or without. */
export function PbxActs({ call, member, muted, onDone }: { readonly call: number; readonly member: number; readonly muted: boolean; readonly onDone?: () => void }): VNode {
  const w = useWords()
  const act = (a: 'mute' | 'unmute' | 'kick'): void => void connection.command('act', { call, act: a, member }).then(onDone)
  return (
    <>
      <button type="button" onClick={() => act(muted ? 'unmute' : 'mute')}>{muted ? w.controls.unmute : w.controls.mute}</button>
      <button type="button" class="danger plain" onClick={() => act('kick')}>{w.members.removeDo}</button>
    </>
  )
}

function Remove({ call, keyId, onDone, onCancel }: { readonly call: number; readonly keyId: string; readonly onDone: () => void; readonly onCancel: () => void }): VNode {
  const w = useWords()
  const [ban, setBan] = useState(false)
  return (
    <>
      <label class="check"><input type="checkbox" checked={ban} onChange={(e) => setBan(e.currentTarget.checked)} /> {w.members.removeBan}</label>
      <div class="row end">
        <button type="button" onClick={onCancel}>{w.cancel}</button>
        <button type="button" class="danger" onClick={() => void connection.command('remove', { call, keyId, ban }).then(onDone)}>{w.members.removeDo}</button>
      </div>
    </>
  )
}

/** As our own vault sees it. */
function protection({ certificate: w }: ReturnType<typeof useWords>, m: Member): string {
  if (m.enclave?.proven === true) return w.enclave(m.enclave.tee, inGroups(m.enclave.measurement), m.enclave.status)
  const claimed = w.protections[m.keyProtection ?? 'unknown']
  return m.enclave === undefined ? claimed : `${claimed}. ${w.enclaveRefused(m.enclave.code)}`
}

const inGroups = (hex: string): string => (hex.match(/.{1,4}/g) ?? []).join(' ')
