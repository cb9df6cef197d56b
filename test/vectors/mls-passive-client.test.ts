/**
 * RFC 9420 vectors of a client that joins by Welcome and follows commits. Joining goes through our own `openWelcome`
 * and `enterGroup`; what the rules of rooms forbid (PSKs, a welcome without a path, a tree sent apart) is counted as
 * skipped, with the fault that refuses it. Commits go through the library over our suite.
 */
import assert from 'node:assert/strict'
import type { ClientState, KeyPackage, PrivateKeyPackage } from 'ts-mls'
import { acceptAll } from 'ts-mls/incomingMessageAction.js'
import { joinGroup, makePskIndex } from 'ts-mls/clientState.js'
import { decodeMlsMessage } from 'ts-mls/message.js'
import { processMessage } from 'ts-mls/processMessages.js'
import { decodeRatchetTree } from 'ts-mls/ratchetTree.js'
import { bytesToBase64 } from 'ts-mls/util/byteArray.js'
import { toHex } from '../../src/base/bytes.ts'
import { decodeKeyPackageMessage, decodeWelcomeMessage } from '../../src/protocol/mls/codec.ts'
import { must } from '../../src/base/result.ts'
import { enterGroup, openWelcome } from '../../src/protocol/mls/join.ts'
import { CLIENT_CONFIG } from '../../src/protocol/mls/snapshot.ts'
import { checkTree } from '../../src/protocol/mls/tree-check.ts'
import { hex, suite, vectors } from '../kit/mls-vectors.ts'

interface PassiveClient {
  external_psks: { psk_id: string; psk: string }[]
  key_package: string
  signature_priv: string
  encryption_priv: string
  init_priv: string
  welcome: string
  ratchet_tree: string | null
  initial_epoch_authenticator: string
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[]
}

const entered = new Map<string, number>()
const count = (what: string): void => void entered.set(what, (entered.get(what) ?? 0) + 1)

/** Our own way in, where the rules allow it. */
async function ownWay(v: PassiveClient, keyPackage: KeyPackage, keys: PrivateKeyPackage): Promise<void> {
  const opened = await openWelcome(suite, must(decodeWelcomeMessage(hex(v.welcome))), keyPackage, keys)
  if (!opened.ok) return count(`skipped, refused by the rules of rooms: ${opened.fault.code}`)
  const state = await enterGroup(suite, opened.value, keyPackage, keys, CLIENT_CONFIG)
  if (!state.ok) return count(`skipped, refused by the rules of rooms: ${state.fault.code}`)
  assert.equal(toHex(state.value.keySchedule.epochAuthenticator), v.initial_epoch_authenticator)
  count('joined')
}

async function follow(v: PassiveClient): Promise<void> {
  const keyPackage = must(decodeKeyPackageMessage(hex(v.key_package)))
  const keys = (): PrivateKeyPackage => ({ initPrivateKey: hex(v.init_priv), hpkePrivateKey: hex(v.encryption_priv), signaturePrivateKey: hex(v.signature_priv) })
  try {
    await ownWay(v, keyPackage, keys())
  } catch {
    count('skipped: the library decrypts with PSKs only')
  }
  const psks = Object.fromEntries(v.external_psks.map((p) => [bytesToBase64(hex(p.psk_id)), hex(p.psk)]))
  const tree = v.ratchet_tree === null ? undefined : decodeRatchetTree(hex(v.ratchet_tree), 0)![0]
  let state: ClientState = await joinGroup(must(decodeWelcomeMessage(hex(v.welcome))), keyPackage, keys(), makePskIndex(undefined, psks), suite.impl, tree, undefined, CLIENT_CONFIG)
  assert.equal(toHex(state.keySchedule.epochAuthenticator), v.initial_epoch_authenticator)
  must(await checkTree(state.ratchetTree, state.groupContext, suite))
  for (const epoch of v.epochs) {
    for (const message of [...epoch.proposals, epoch.commit]) {
      const m = decodeMlsMessage(hex(message), 0)![0]
      assert.ok(m.wireformat === 'mls_public_message' || m.wireformat === 'mls_private_message')
      const result = await processMessage(m, state, makePskIndex(state, psks), acceptAll, suite.impl)
      assert.ok(result.kind === 'newState')
      state = result.newState
    }
    assert.equal(toHex(state.keySchedule.epochAuthenticator), epoch.epoch_authenticator)
  }
}

for (const file of ['passive-client-welcome', 'passive-client-handling-commit']) {
  vectors<PassiveClient>(file, 'joins and follows', follow, () => {
    const summary = [...entered].map(([what, n]) => `${n} ${what}`).join('; ')
    entered.clear()
    return summary
  })
}
