/** What a vault wipes when a membership ends and when it closes: every array of keys that it had is looked at afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { FrameEngine } from '../../../src/vault/inside/frame-engine.ts'
import { IdentityKeeper } from '../../../src/vault/inside/identity-keeper.ts'
import { RoomSession } from '../../../src/vault/inside/room-session.ts'
import { VaultRoom } from '../../kit/vault-room.ts'

type Keys = Map<string, Uint8Array>

/** The arrays themselves, as the vault's parts hand them around. */
function watch(t: { after(f: () => void): void }): { readonly keys: Keys; readonly frames: Keys } {
  const [keys, frames]: [Keys, Keys] = [new Map(), new Map()]
  const { command } = FrameEngine.prototype
  const { leafKey } = IdentityKeeper.prototype
  const { prepare } = RoomSession.prototype
  FrameEngine.prototype.command = function (c) {
    if (c.op === 'epoch') frames.set(`${frames.size}: base key of session ${c.session}, epoch ${c.epoch}`, c.baseKey)
    command.call(this, c)
  }
  IdentityKeeper.prototype.leafKey = function (...args) {
    const made = leafKey.apply(this, args)
    if (made.ok) keys.set(`signature key ${keys.size}`, made.value.signature.privateKey)
    return made
  }
  RoomSession.prototype.prepare = function (s, removed) {
    for (const [name, secret] of Object.entries(s.state.keySchedule)) if (secret instanceof Uint8Array) keys.set(`${keys.size}: ${name} of session ${this.id}, epoch ${s.state.groupContext.epoch}`, secret)
    for (const [node, key] of Object.entries(s.state.privatePath.privateKeys)) keys.set(`${keys.size}: path key ${node} of session ${this.id}, epoch ${s.state.groupContext.epoch}`, key)
    return prepare.call(this, s, removed)
  }
  t.after(() => {
    FrameEngine.prototype.command = command
    IdentityKeeper.prototype.leafKey = leafKey
    RoomSession.prototype.prepare = prepare
  })
  return { keys, frames }
}
const left = (keys: Keys): string[] => [...keys].filter(([, k]) => k.some((octet) => octet !== 0)).map(([name]) => name)

test('nothing of a membership is left when it has ended, and nothing of any when the vault is closed', async (t) => {
  const { keys, frames } = watch(t)
  const room = new VaultRoom()
  const [ann, ben] = await room.open('Ann', 'Ben')
  assert.ok(keys.size > 20 && frames.size >= 3, `${keys.size} and ${frames.size} keys were seen`)
  assert.deepEqual(left(frames), [], 'base keys are wiped as soon as those of the members are derived')
  assert.ok(left(keys).length > 10, 'they are keys while the membership lasts')
  must(await ben!.vault.call('room.end', { session: ben!.session }))
  await ann!.vault.close()
  await ben!.vault.close()
  assert.deepEqual(left(keys), [])
})
