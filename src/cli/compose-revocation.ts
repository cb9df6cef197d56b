/** A client gets statements about its own issuers itself, from where its certificate says, besides what the server hands on. */
import { type Der, unixTime } from '../base/brand.ts'
import type { Client } from '../client/client.ts'
import type { ClientConfig } from '../client/config.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { realScheduler } from '../net/scheduler.ts'
import { RevocationFetcher } from '../pki/source.ts'
import { makeAnchors, verifyChain } from '../protocol/x509/path.ts'
import { besideConfig } from '../store/config.ts'
import { readCertificates } from '../store/identity-file.ts'

/** Ends the fetching. What cannot be fetched is no complaint here: the server may have it, and who needs it is told when it is missing. */
export function fetchRevocation(client: Pick<Client, 'learn'>, config: ClientConfig, configFile: string, crypto: CryptoPort): () => void {
  if (!config.identity.revocation.fetch) return () => {}
  const read = (file: string): Der[] => {
    const some = readCertificates(besideConfig(configFile, file))
    return some.ok ? some.value : []
  }
  const anchors = makeAnchors(config.identity.anchors.flatMap(read))
  const own = anchors.ok ? verifyChain(crypto, read(config.identity.certificate), anchors.value, [], unixTime(Math.floor(Date.now() / 1000)), 'member', 'given') : anchors
  if (!own.ok) return () => {}
  const fetcher = new RevocationFetcher(crypto, realScheduler())
  fetcher.onProofs((proofs) => client.learn(proofs))
  fetcher.want(own.value.path, true)
  return () => fetcher.stop()
}
