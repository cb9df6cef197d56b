/** How the sound of a phone gets to us, as its own descriptions say: for the label of its call. */
import type { HandsetMedia } from '../media/api.ts'
import type { PhoneLeg } from '../model/roster.ts'
import { isOwnAddress, isUnspecified } from '../telephony/local-address.ts'

/** `address`: where the phone takes its packets. Undefined: it is on hold at no address, and is where it was. */
export function phoneLegAt(address: string, srtp: boolean): PhoneLeg | undefined {
  if (isUnspecified(address)) return undefined
  // What goes to an address of this machine does not leave it.
  return isOwnAddress(address) ? 'local' : srtp ? 'encrypted' : 'plain-lan'
}

/** A page, a robot or a file has no network between. */
export const phoneLegOf = (media: HandsetMedia): PhoneLeg | undefined => (media.kind === 'rtp' ? phoneLegAt(media.remote.address, media.srtp !== undefined) : 'local')
