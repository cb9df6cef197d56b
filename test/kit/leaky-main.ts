/**
 * The vault's program with a leak: every key that it makes goes, in hex, to the file beside it. For the one test that has to know
 * what to look for in others' memory.
 */
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { FrameEngine } from '../../src/vault/inside/frame-engine.ts'
import { IdentityKeeper } from '../../src/vault/inside/identity-keeper.ts'
import { RoomSession } from '../../src/vault/inside/room-session.ts'

const LEAK_FD = 30
/** Opened before the locks; Node's permissions forbid it, the bare call does not yet. */
function openLeak(file: string): void {
  const ffi = process.getBuiltinModule('node:ffi')!
  const { open, dup2 } = ffi.dlopen(null, { open: { arguments: ['string', 'int32', 'int32'], return: 'int32' }, dup2: { arguments: ['int32', 'int32'], return: 'int32' } }).functions
  // O_WRONLY, O_CREAT, O_APPEND
  dup2(open(file, 0x1 | 0x40 | 0x400, 0o600), LEAK_FD)
}
const leak = (name: string, secret: Uint8Array | undefined): void => {
  if (secret !== undefined && secret.length >= 16) writeSync(LEAK_FD, `${name} ${Buffer.from(secret).toString('hex')}\n`)
}

if (isMainThread) openLeak(`${process.argv[1]!}.leak`)
else {
  const command = FrameEngine.prototype.command
  FrameEngine.prototype.command = function (c) {
    if (c.op === 'epoch') leak('SFrame base key', c.baseKey)
    if (c.op === 'call.keys') for (const [way, k] of Object.entries(c.keys)) for (const part of ['key', 'mask'] as const) leak(`sealed call's ${part} to ${way}`, k[part])
    command.call(this, c)
  }
  const leafKey = IdentityKeeper.prototype.leafKey
  IdentityKeeper.prototype.leafKey = function (...args) {
    const made = leafKey.apply(this, args)
    if (made.ok) leak('MLS signature key', made.value.signature.privateKey)
    return made
  }
  const prepare = RoomSession.prototype.prepare
  RoomSession.prototype.prepare = function (s, removed) {
    const k = s.state.keySchedule
    for (const name of ['exporterSecret', 'initSecret', 'membershipKey', 'resumptionPsk', 'senderDataSecret'] as const) leak(`MLS ${name}`, k[name])
    for (const key of Object.values(s.state.privatePath.privateKeys)) leak('MLS path key', key)
    return prepare.call(this, s, removed)
  }
}
void import('../../src/vault/inside/process/main.ts')
