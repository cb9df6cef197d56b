/** Commands that need our keys for a moment: a vault, what is remembered, and the server for as long as it takes. */
import { type Result, err, ok } from '../base/result.ts'
import { openServerChannel } from '../client/channel/index.ts'
import { type ClientConfig, clientConfig } from '../client/config.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import { WIRE_VERSION } from '../protocol/wire/messages.ts'
import { readConfig } from '../store/config.ts'
import { instant } from '../base/brand.ts'
import type { Vault } from '../vault/api/calls.ts'
import { type VaultExtras, vaultFor } from './compose-vault.ts'
import { ClientMemory } from './room-memory.ts'

export interface AtHand {
  readonly config: ClientConfig
  readonly vault: Vault
  readonly memory: ClientMemory
}

/** Runs `then` with a vault of this configuration, or of one `line` of it, and closes it. */
export async function withVault<T>(configFile: string, then: (o: AtHand) => Promise<Result<T>>, line?: ClientConfig, extras: Pick<VaultExtras, 'journalOnly'> = {}): Promise<Result<T>> {
  const config = line === undefined ? readConfig(configFile, clientConfig) : ok(line)
  if (!config.ok) return config
  const memory = ClientMemory.open(config.value, configFile)
  if (!memory.ok) return memory
  const own = await vaultFor(config.value, configFile, createNodeCrypto(), { ...extras, memory: () => memory.value.bytes, proofs: (room) => memory.value.evidence.proofs(room) })
  if (!own.ok) return own
  try {
    return await then({ config: config.value, vault: own.value.vault, memory: memory.value })
  } finally {
    await own.value.vault.close()
  }
}

const PATIENCE_MS = 5000

/**
 * Greets the server, says `messages`, gathers what `wanted` picks until it says that it is enough, or for a while. A fault of
 * the server about what was said is the result.
 */
export async function atServer(o: AtHand, messages: readonly ClientMessage[], enough: (m: ServerMessage) => boolean): Promise<Result<ServerMessage[]>> {
  const scheduler = realScheduler()
  if (o.config.server === undefined) return err('CONFIG_WRONG', 'server: this needs one, and the configuration names none')
  const { host, port, name, proxy } = o.config.server
  const channel = await openServerChannel({ vault: o.vault, server: { host, port, name: name ?? host, proxy }, scheduler })
  if (!channel.ok) return channel
  const got: ServerMessage[] = []
  const done = new Promise<Result<ServerMessage[]>>((resolve) => {
    const cancel = scheduler.at(instant(scheduler.now() + PATIENCE_MS), () => resolve(err('CLIENT_SERVER_SILENT', host)))
    const end = (r: Result<ServerMessage[]>): void => {
      cancel()
      resolve(r)
    }
    channel.value.onClose((fault) => end({ ok: false, fault }))
    channel.value.onMessage((m) => {
      got.push(m)
      if (m.k === 'welcome') for (const x of messages) channel.value.send(x)
      if (m.k === 'fault') end(err('CLIENT_ROOM_REFUSED', `${m.code}: ${m.message}`))
      else if (enough(m)) end(ok(got))
    })
  })
  channel.value.send({ k: 'hello', minVersion: 1, maxVersion: WIRE_VERSION, capabilities: [], agent: 'stc' })
  const result = await done
  await channel.value.close()
  return result
}

/** What the server keeps of a room, taken in; undefined where it cannot be asked. */
export async function freshen(o: AtHand, room: string): Promise<Result<undefined>> {
  const told = await atServer(o, [{ k: 'room-open', room }], (m) => m.k === 'room-info')
  if (!told.ok) return told
  const info = told.value.find((m) => m.k === 'room-info')
  if (info?.k !== 'room-info' || info.policy === undefined) return ok(undefined)
  const learnt = await o.vault.call('policy.learn', { signed: info.policy })
  return learnt.ok ? o.memory.save(o.vault) : learnt
}

/** Hands the newest policy to the server. It answers a good one with silence, so the room is asked for behind it. */
export async function deposit(o: AtHand, room: string): Promise<Result<undefined>> {
  const known = await o.vault.call('policy.known', { room })
  if (!known.ok) return known
  const signed = known.value.rooms[0]?.signed
  if (signed === undefined) return ok(undefined)
  const told = await atServer(o, [{ k: 'room-policy', room, base: signed.base, state: signed.state }, { k: 'room-open', room }], (m) => m.k === 'room-info')
  return told.ok ? ok(undefined) : told
}
