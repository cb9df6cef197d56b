#!/usr/bin/env node
// Starts what a manifest for Gramine names, as gramine-sgx would, with these differences: no enclave, the files of the host, and a /dev/attestation
// that the test answers (the folder `attestation` beside the manifest). For tests, as root.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

const base = process.argv[2]
const folder = path.dirname(base)
const manifest = readFileSync(`${base}.manifest.template`, 'utf8').replace(/^#.*$/gm, '')
const list = (name) => [...(new RegExp(`^${name.replaceAll('.', '\\.')} = \\[(.*?)^\\]`, 'ms').exec(manifest)?.[1] ?? '').matchAll(/"([^"]*)"/g)].map((m) => m[1])
const files = [...manifest.matchAll(/\{ path = "([^"]+)", uri = "file:([^"/{]+)" \}/g)].map(([, inside, outside]) => [inside, path.join(folder, outside)])
// The environment that comes in, its libraries excepted: those are the host's here.
const environment = Object.fromEntries([...manifest.matchAll(/^loader\.env\.(\w+) = "([^"]*)"/gm)].map(([, k, v]) => [k, v]).filter(([k]) => k !== 'LD_LIBRARY_PATH'))
if (/insecure__|passthrough|sgx\.debug = true/.test(manifest)) throw new Error('the manifest leaves something open')
const argv = list('loader.argv').map((a) => files.reduce((text, [inside, outside]) => text.replace(inside, outside), a))
const device = `mount -t tmpfs none /dev && mkdir /dev/attestation && mount --bind '${folder}/attestation' /dev/attestation && exec "$@"`
const child = spawn('unshare', ['--mount', 'sh', '-c', device, 'sh', ...argv], { cwd: '/', env: { PATH: process.env.PATH, ...environment }, stdio: 'inherit' })
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => process.exit(code ?? 1))
