/**
 * What runs in the process of a batch: its files, one after the other, each loaded when those before it are done.
 * The suite inside gives a file what it has in a process of its own: its tests begin when it is wholly loaded, and its
 * hooks are its own.
 */
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

// `--test-force-exit` does not wait for the pipe to take what was told: on a busy machine the last results would be lost.
const out = process.stdout as unknown as { readonly _handle?: { setBlocking?(on: boolean): void } }
out._handle?.setBlocking?.(true)

const [lane, ...files] = process.argv.slice(2)
process.env['STC_TEST_LANE'] = lane!
for (const file of files) {
  test(file, async () => {
    // What the file before has said is out, should this one end the process.
    await setImmediate()
    await suite(file, async () => {
      await import(pathToFileURL(file).href)
    })
  })
}
