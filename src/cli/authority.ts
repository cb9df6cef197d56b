/** Questions to the door of an authority: through the proxy of the environment, where there is one (HTTPS_PROXY, NO_PROXY), as the channel goes. */
import type { CryptoPort } from '../crypto/port.ts'
import { connectTo, proxyFor } from '../net/http-connect.ts'
import { type Ask, asker, type Reach } from '../pki/enrolment/ask.ts'

/** On the way that a client takes; who is there, certificates will show. */
export const reach: Reach = async (target) => {
  const proxy = proxyFor('auto', target)
  return proxy.ok ? await connectTo(target, proxy.value) : proxy
}

export const authorityAsker = (crypto: CryptoPort): Ask => asker(crypto, reach)
