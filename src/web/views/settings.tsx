/** Language, appearance, and who the user is to others. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PageKeys, PageSnapshot } from '../../model/page.ts'
import { displayName } from '../../model/identity.ts'
import { Dialog } from '../parts/small.tsx'
import { currentLanguage, day, keyWords, LANGUAGES, type Language, speakLanguage, useWords } from '../words/index.ts'

const THEMES = ['system', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const KEY = 'stc-theme'

export function applyTheme(theme = (localStorage.getItem(KEY) ?? 'system') as Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function Settings({ snapshot, onClose }: { readonly snapshot: PageSnapshot | undefined; readonly onClose: () => void }): VNode {
  const w = useWords()
  const [theme, setTheme] = useState<Theme>((localStorage.getItem(KEY) ?? 'system') as Theme)
  const choose = (t: Theme): void => {
    localStorage.setItem(KEY, t)
    applyTheme(t)
    setTheme(t)
  }
  const identity = snapshot?.identity
  return (
    <Dialog title={w.settings.heading} onClose={onClose}>
      <div class="field">
        <label for="language">{w.settings.language}</label>
        <select id="language" onChange={(e) => speakLanguage(e.currentTarget.value as Language)}>
          {Object.entries(LANGUAGES).map(([l, words]) => <option key={l} value={l} selected={l === currentLanguage()}>{words.language}</option>)}
        </select>
      </div>
      <fieldset class="tabs">
        <legend>{w.settings.theme}</legend>
        {THEMES.map((t) => <label key={t} class="tab"><input type="radio" name="theme" checked={t === theme} onChange={() => choose(t)} /><span>{w.settings.themes[t]}</span></label>)}
      </fieldset>
      {identity !== undefined && (
        <>
          <h3>{w.settings.identity}</h3>
          <p><strong><bdi>{displayName(identity)}</bdi></strong> {identity.organisation}<br /><span class="quiet">{w.certificate.issuer} {identity.issuer} · {w.certificate.valid} – {day(identity.notAfter)} · {keyWords(identity.keyId)}</span></p>
        </>
      )}
      {snapshot?.keys !== undefined && <Keys keys={snapshot.keys} warnings={snapshot.warnings} />}
      <p class="quiet">{snapshot === undefined ? '' : w.settings.version(snapshot.version)}</p>
      <div class="row end"><button type="button" class="primary" onClick={onClose}>{w.settings.close}</button></div>
    </Dialog>
  )
}

/** How the vault reports that it is locked in; what is missing is not hidden. */
function Keys({ keys, warnings }: { readonly keys: PageKeys; readonly warnings: readonly string[] }): VNode {
  const w = useWords().settings
  return (
    <>
      <h3>{w.keys}</h3>
      <p class={keys.protection === 'in-process' ? 'problem' : ''}>{w.keysIn[keys.protection]}</p>
      {warnings.map((text) => <p key={text} class="problem">{text}</p>)}
      {keys.locks.length > 0 && (
        <details>
          <summary>{w.locks}</summary>
          <ul>{keys.locks.map((l) => <li key={l.name}>{l.had ? '✓' : '✗'} {l.name}{l.had ? '' : `: ${w.missing}${l.detail === '' ? '' : ` (${l.detail})`}`}</li>)}</ul>
          {keys.program !== undefined && <p class="quiet">{w.program} {keyWords(keys.program)}</p>}
        </details>
      )}
    </>
  )
}
