import { render } from 'preact'
import './style.css'
import { connection } from './state/store.ts'
import { App } from './views/app.tsx'
import { applyTheme } from './views/settings.tsx'

applyTheme()
render(<App />, document.getElementById('app')!)
void connection.start()
