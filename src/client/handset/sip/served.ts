/** What the handset understands, as it says in Allow, Supported and Accept. */
import type { Header, Served } from '../../../protocol/sip/index.ts'

export const served: Served = {
  methods: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'UPDATE', 'PRACK', 'INFO'],
  extensions: ['100rel', 'timer'],
  bodies: {
    INVITE: ['application/sdp'],
    UPDATE: ['application/sdp'],
    ACK: ['application/sdp'],
    INFO: ['application/dtmf-relay', 'application/dtmf'],
  },
}

export const allow: Header = { name: 'Allow', value: served.methods.join(', ') }
export const supported: Header = { name: 'Supported', value: served.extensions.join(', ') }
export const acceptSdp: Header = { name: 'Accept', value: 'application/sdp' }
export const sdpType: Header = { name: 'Content-Type', value: 'application/sdp' }
