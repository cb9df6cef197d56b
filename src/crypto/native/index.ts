/** The crypto port with packet ciphers over libcrypto itself; the rest is node:crypto's. One per thread. */
import type { Result } from '../../base/result.ts'
import { ok } from '../../base/result.ts'
import { Memory } from '../../ffi/memory.ts'
import { createNodeCrypto } from '../node/index.ts'
import type { CryptoPort } from '../port.ts'
import { packetSelfTest } from '../self-test.ts'
import { evp } from './evp.ts'
import { nativePacketCipher, SCRATCH_OCTETS, type Workspace } from './packet-cipher.ts'

export interface NativeCrypto extends CryptoPort {
  /** Packets in this memory are handled in place from now on, not copied. */
  handleInPlace(memory: Memory): void
}

/** Fails with NATIVE_UNAVAILABLE, or CRYPTO_SELF_TEST where an answer was wrong. */
export function createNativeCrypto(): Result<NativeCrypto> {
  const found = evp()
  if (!found.ok) return found
  const workspace: Workspace = { evp: found.value, scratch: new Memory(found.value.library, SCRATCH_OCTETS), places: [] }
  const crypto: NativeCrypto = {
    ...createNodeCrypto(),
    packetCipher: (algorithm, key) => nativePacketCipher(workspace, algorithm, key),
    handleInPlace: (memory) => void workspace.places.push(memory),
  }
  const tested = packetSelfTest(crypto)
  return tested.ok ? ok(crypto) : tested
}
