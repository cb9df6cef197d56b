#!/usr/bin/env node
// The `stc` command: the compiled program where there is one, the sources in a checkout.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launch } from './launch.mjs'

const source = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const compiled = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
launch(existsSync(source) ? source : compiled, process.argv.slice(2))
