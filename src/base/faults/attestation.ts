import type { FaultEntry } from './index.ts'

const NOT_COUNTED = 'The enclave is not counted as one: this member is shown without it.'

/** Quotes of enclaves and what is needed to judge them. */
export const attestationFaults = {
  ATTESTATION_MALFORMED: { what: 'This is not a well-formed quote', todo: NOT_COUNTED },
  ATTESTATION_UNSUPPORTED: { what: 'The quote is of a kind that is not taken here', todo: 'Taken are DCAP quotes of versions 3, 4 and 5 with ECDSA P-256 keys and the certificate chain inside.' },
  ATTESTATION_CHAIN: { what: 'The processor\'s certificate does not lead to Intel\'s root, or it was revoked', todo: NOT_COUNTED },
  ATTESTATION_SIGSTRUCT: { what: 'This is not the signed description of an enclave (SIGSTRUCT), or its signature is wrong', todo: 'Build and sign the enclave again: bin/build-enclave.mjs.' },
  ATTESTATION_SIGNATURE: { what: 'A signature in the quote is wrong', todo: 'The quote is damaged or forged. Nothing was accepted.' },
  ATTESTATION_COLLATERAL: { what: 'What Intel says about the platform is missing, malformed or about another one', todo: 'Give the server or this client what Intel publishes about such processors: "stc attestation fetch".' },
  ATTESTATION_COLLATERAL_SIGNATURE: { what: 'What is said to be Intel\'s word about the platform is not signed by Intel', todo: 'Somebody in the way changed it. Nothing was accepted.' },
  ATTESTATION_COLLATERAL_STALE: { what: 'Intel\'s word about the platform is outdated', todo: 'Fetch it anew ("stc attestation fetch"); check the clock of this machine.' },
  ATTESTATION_QUOTING_ENCLAVE: { what: 'The quote was not made by Intel\'s quoting enclave', todo: NOT_COUNTED },
  ATTESTATION_TCB: { what: 'The platform\'s security version is not acceptable', todo: 'The member\'s machine needs new firmware or another configuration.' },
  ATTESTATION_DEBUG: { what: 'The enclave runs in debug mode, in which its memory can be read', todo: NOT_COUNTED },
  ATTESTATION_NO_QUOTE: { what: 'Somebody says that its keys are in an enclave, and shows no quote', todo: NOT_COUNTED },
  ATTESTATION_FETCH: { what: 'What Intel publishes about processors could not be fetched', todo: 'Check the network and the address; --service names a cache of it (PCCS).' },
  ATTESTATION_DEVICE: { what: 'The enclave that the vault runs in gave no quote', todo: 'Look after the quoting service of this machine (aesmd, or the provider of the machine), and its access to Intel\'s or its own certificate cache.' },
  ATTESTATION_MEASUREMENT: { what: 'Another program than expected runs in the enclave', todo: 'Compare its measurement with that of the release; allow it in the policy if it is right.' },
  ATTESTATION_REPORT_DATA: { what: 'The quote was not made for this key', todo: 'It was taken from somebody else. Nothing was accepted.' },
} as const satisfies Record<string, FaultEntry>
