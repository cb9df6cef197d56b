/** Limits of the channel (docs/protocol/channel.md). Octets unless named otherwise. */

/** One message, CBOR and all. */
export const MESSAGE_LIMIT = 2 * 1024 * 1024
export const COMMIT_LIMIT = 512 * 1024
export const WELCOME_LIMIT = 1536 * 1024
export const KEY_PACKAGE_LIMIT = 32 * 1024
/** An MLS application message, e.g. a member's signed word. */
export const ROOM_MESSAGE_LIMIT = 8 * 1024
/** Hop handshake: ML-KEM share, X25519 share, a few words. */
export const HOP_MESSAGE_LIMIT = 8 * 1024
/** A signed wish to leave, or a host's signed act, with the state that it puts in place. */
export const EVIDENCE_LIMIT = 56 * 1024
/** Base or state of a room's policy. */
export const POLICY_LIMIT = 48 * 1024
export const NOTICE_LIMIT = 3 * 1024
/** A signed word that asks somebody into a room. */
export const RING_LIMIT = 3 * 1024
/** What Intel publishes about one kind of processor: 15 to 60 kB. */
export const COLLATERAL_LIMIT = 256 * 1024
/** One revocation list or OCSP response that is relayed: ten thousand revoked certificates take 400 kB. */
export const PROOF_LIMIT = 1536 * 1024
/** All of one message. */
export const PROOFS_OCTETS = 1536 * 1024
export const GROUP_ID_LIMIT = 64
/** Characters of free text: agents, reasons, sentences. */
export const TEXT_LIMIT = 1024
export const CODE_LIMIT = 64
/** Adds or removals in one nomination or commit. */
export const BATCH_LIMIT = 64
/** Members of the largest room. */
export const LEAF_LIMIT = 4096

/** One certificate, DER, and how many one party shows. */
export const CERTIFICATE_LIMIT = 16 * 1024
export const CHAIN_LIMIT = 8
/** Members of a conference of the PBX that are listed; the others are counted. */
export const CONFERENCE_MEMBERS_LIMIT = 128

/** Nesting of arrays and maps in one message. */
export const CBOR_DEPTH = 8
/** Values in one message, keys included. */
export const CBOR_ITEMS = 4096
export const CBOR_KEY_LIMIT = 64

/** One SIP message in the tunnel: what the parser of SIP takes. */
export const SIP_MESSAGE_LIMIT = 65_535
export const SIP_CONTACTS_LIMIT = 256
/** Characters of a contact's URI. */
export const SIP_CONTACT_LIMIT = 1024
