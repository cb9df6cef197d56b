/** What a browser loads before the page can be used. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { pageFiles } from '../../src/cli/page-files.ts'

test('the first load is under 100 kB compressed in either language, and all of it is ours', async (t) => {
  const files = await pageFiles()()
  const html = new TextDecoder().decode(files.get('/')!.body)
  assert.doesNotMatch(html, /<script(?![^>]*src="\/assets\/)|<style|\son\w+=|https?:/, 'inline code, or something from elsewhere')
  const octets = (of: (name: string) => boolean): number => [...files].reduce((n, [name, f]) => n + (of(name) ? gzipSync(f.body).length : 0), 0)
  // The words of faults in other languages come after it, where they are wanted: a German browser loads them too.
  const [english, german] = [octets((name) => !name.startsWith('/assets/translate')), octets(() => true)]
  t.diagnostic(`${english} octets; ${german} in German`)
  assert.ok(german > english, 'the German words of faults are no file of their own any more')
  assert.ok(german < 100_000, `${german} octets in German`)
})

test('nothing in the page refers to another place', async () => {
  for (const [name, f] of await pageFiles()()) {
    if (!/javascript|css/.test(f.type)) continue
    const urls = new TextDecoder().decode(f.body).match(/(?:https?:)?\/\/[a-z0-9-]+\.[a-z]{2,}[^\s"'`)]*/gi) ?? []
    // Names of XML's languages are no addresses.
    assert.deepEqual(urls.filter((u) => !u.includes('www.w3.org/')), [], name)
  }
})
