/** Every view of the page in real Chromium, light and dark, English and German, wide and narrow: no violation that axe finds. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { type BrowserOptions, startBrowser } from '../kit/browser.ts'
import { VIEWS } from '../kit/page-views.ts'
import { stagePage } from '../kit/staged-page.ts'
import { needs } from './setup.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** With it, pictures of every view are kept there. */
const pictures = process.env['STC_PICTURES']

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

async function violations(page: Page): Promise<string[]> {
  const run = (): Promise<Violation[]> => (globalThis as unknown as { axe: { run(o: object): Promise<{ violations: Violation[] }> } }).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations)
  await page.evaluate(axe)
  return (await page.evaluate(run)).flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 200)}\n  ${n.failureSummary}`))
}

const LOOKS: readonly (readonly [string, BrowserOptions])[] = [
  ['light', {}],
  ['dark, German', { dark: true, locale: 'de-DE' }],
  ['dark, narrow', { dark: true, viewport: { width: 390, height: 780 } }],
]

for (const [look, options] of LOOKS) {
  test(`no violation on any view: ${look}`, { timeout: 600_000 }, async (t) => {
    if (!needs(t, 'chromium')) return
    const b = await startBrowser(t, options)
    const wrong: string[] = []
    for (const view of VIEWS) {
      const staged = await stagePage(t)
      await b.page.goto(staged.url)
      staged.up()
      await b.page.locator('main h1').first().waitFor()
      await view.show(staged, b.page)
      wrong.push(...(await violations(b.page)).map((v) => `${view.name}: ${v}`))
      const width = await b.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      if (width !== 0) wrong.push(`${view.name}: scrolls sideways by ${width}`)
      if (pictures !== undefined) {
        mkdirSync(pictures, { recursive: true })
        await b.page.screenshot({ path: path.join(pictures, `${view.name}-${look.replace(/\W+/g, '-')}.png`), fullPage: view.name !== 'trouble-client-gone' })
      }
      await b.page.goto('about:blank')
      await staged.page.close()
    }
    assert.deepEqual(wrong, [])
  })
}
