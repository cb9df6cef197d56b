import type { FaultEntry } from './index.ts'

const NEW_FROM_CA = 'Ask whoever runs the certificate authority for a new certificate.'
const PEER = 'Nothing was accepted; if this goes on, somebody sends damaged or forged data.'

export const identityFaults = {
  IDENTITY_INTERNAL: { what: 'Internal error in the identity layer', todo: 'Please report it with the log.' },

  // Certificates
  IDENTITY_CERTIFICATE_MALFORMED: { what: 'This is not a well-formed X.509 version 3 certificate', todo: 'Check that the right file was given, or ask for a new certificate.' },
  IDENTITY_CERTIFICATE_TOO_LARGE: { what: 'The certificate is larger than 16 kB', todo: 'Ask for one with fewer names.' },
  IDENTITY_CHAIN_EMPTY: { what: 'No certificate was presented', todo: 'Configure a certificate and its key.' },
  IDENTITY_CHAIN_TOO_LONG: { what: 'More than 6 certificates were presented', todo: 'Send the own certificate and the intermediate ones alone.' },
  IDENTITY_EXPIRED: { what: 'The certificate has expired', todo: NEW_FROM_CA },
  IDENTITY_NOT_YET_VALID: { what: 'The certificate is not valid yet', todo: 'Check the clock of this machine, or wait.' },
  IDENTITY_UNKNOWN_ISSUER: { what: 'The certificate comes from an authority that is not trusted here', todo: 'If it should be, add the authority\'s certificate to the anchors; else use a certificate of a trusted one.' },
  IDENTITY_BAD_SIGNATURE: { what: 'The signature of the authority on the certificate is wrong', todo: 'The certificate is damaged or forged: do not use it.' },
  IDENTITY_SIGNATURE_UNSUPPORTED: { what: 'The certificate is signed with an algorithm that is not taken here', todo: 'Taken are RSA (PKCS#1 v1.5 and PSS with equal hashes), ECDSA and Ed25519, with SHA-256, SHA-384 or SHA-512.' },
  IDENTITY_WEAK_SIGNATURE: { what: 'The certificate is signed with a broken hash', todo: NEW_FROM_CA },
  IDENTITY_KEY_UNSUPPORTED: { what: 'The certificate has a key of a kind that is not taken here', todo: 'Taken are RSA of 2048 to 4096 bits, P-256, P-384, P-521 and Ed25519.' },
  IDENTITY_WEAK_KEY: { what: 'The certificate has a key that is too short', todo: 'Make a new key (P-256, or RSA of 2048 bits and more) and have it certified.' },
  IDENTITY_NO_DIGITAL_SIGNATURE: { what: 'The certificate does not allow digital signatures', todo: 'Ask for one whose key usage names digitalSignature.' },
  IDENTITY_WRONG_PURPOSE: { what: 'The extended key usage of the certificate does not allow this use', todo: 'People need clientAuth, servers serverAuth, or no extended key usage at all.' },
  IDENTITY_IS_AUTHORITY: { what: 'The certificate is one of an authority, not of a person or server', todo: 'Have a certificate issued by this authority and use that.' },
  IDENTITY_NOT_AUTHORITY: { what: 'A certificate was issued by one that is not an authority', todo: 'The chain is wrong or forged: do not use it.' },
  IDENTITY_AUTHORITY_MAY_NOT_SIGN: { what: 'The key usage of an authority does not allow it to sign this', todo: 'Whoever runs the authority has to have it certified with keyCertSign and cRLSign.' },
  IDENTITY_PATH_TOO_LONG: { what: 'There are more authorities between than one of them allows', todo: 'Whoever runs the authorities has to correct their path length.' },
  IDENTITY_NAME_NOT_ALLOWED: { what: 'The certificate names somebody whom its authority may not certify', todo: 'Ask for a certificate of the authority that is in charge of this name.' },
  IDENTITY_UNKNOWN_CRITICAL: { what: 'The certificate has a critical extension that is not understood here', todo: 'Ask for a certificate without it.' },

  // Revocation
  IDENTITY_REVOKED: { what: 'The certificate has been revoked', todo: NEW_FROM_CA },
  IDENTITY_REVOCATION_MALFORMED: { what: 'A revocation list is not well-formed', todo: 'Fetch it anew from the authority.' },
  IDENTITY_REVOCATION_STALE: { what: 'The revocation list is out of date', todo: 'Fetch a newer one from the authority, and check the clock of this machine.' },
  IDENTITY_REVOCATION_BAD_SIGNATURE: { what: 'The signature on a revocation list is wrong', todo: 'Fetch it anew from the authority; it is damaged or forged.' },
  IDENTITY_REVOCATION_UNSUPPORTED: { what: 'The revocation statement is of a kind that is not taken here', todo: 'Taken are complete revocation lists signed by the issuer itself, and OCSP answers.' },
  IDENTITY_REVOCATION_UNKNOWN: { what: 'Whether the certificate has been revoked could not be found out', todo: 'The issuer publishes that, but no list or answer of it has reached this machine: run "stc doctor pki", or ask whoever runs the server to relay the list. The rule is identity.revocation.rule.' },
  IDENTITY_OCSP_MALFORMED: { what: 'An OCSP response is not well-formed', todo: 'Ask the responder anew; whoever runs it should look at it.' },
  IDENTITY_OCSP_REFUSED: { what: 'The OCSP responder gave no answer', todo: 'Try later; whoever runs the responder should look at it.' },
  IDENTITY_OCSP_RESPONDER: { what: 'An OCSP response was signed by somebody who may not', todo: 'It is forged, or the issuer has to certify its responder (OCSPSigning) itself.' },
  IDENTITY_OCSP_UNKNOWN: { what: 'The OCSP responder does not know the certificate', todo: NEW_FROM_CA },

  // Credentials and delegations
  IDENTITY_CREDENTIAL_MALFORMED: { what: 'A member\'s credential is not well-formed', todo: PEER },
  IDENTITY_CREDENTIAL_SURPLUS: { what: 'A member\'s credential carries certificates that do not belong to its chain', todo: PEER },
  IDENTITY_DELEGATION_SIGNATURE: { what: 'The certificate\'s key did not sign this delegation', todo: PEER },
  IDENTITY_DELEGATION_ALGORITHM: { what: 'The delegation\'s signature algorithm does not fit the certificate\'s key', todo: 'RSA keys sign with PSS, others with their own algorithm.' },
  IDENTITY_DELEGATION_PURPOSE: { what: 'The delegation was made for another purpose', todo: PEER },
  IDENTITY_DELEGATION_REALM: { what: 'The delegation was made for another realm', todo: 'Check that client and server are configured with the same realm.' },
  IDENTITY_DELEGATION_SUITE: { what: 'The delegation was made for another MLS suite', todo: PEER },
  IDENTITY_DELEGATION_KEY: { what: 'The delegation was made for another key', todo: PEER },
  IDENTITY_DELEGATION_TOO_LONG: { what: 'The delegation is valid for more than 24 hours', todo: 'Issue a shorter one.' },
  IDENTITY_DELEGATION_EXPIRED: { what: 'The delegation has expired', todo: 'Join anew; check the clock of this machine if it was just made.' },
  IDENTITY_DELEGATION_NOT_YET_VALID: { what: 'The delegation is not valid yet', todo: 'Check the clocks of both machines.' },

  // Requests and enrolment
  IDENTITY_REQUEST_MALFORMED: { what: 'The request for a certificate is not well-formed', todo: 'Make it anew.' },
  IDENTITY_LINK_MALFORMED: { what: 'This is not an invitation\'s link', todo: 'Copy the whole link, with what stands after the #.' },
  IDENTITY_INVITATION_UNKNOWN: { what: 'The authority does not know this invitation', todo: 'Ask for a new one; it may have been taken back, or the link was cut.' },
  IDENTITY_INVITATION_USED: { what: 'Somebody has used this invitation already, with another key', todo: 'If that was not you on another machine, tell whoever invited you at once: the link is in other hands. An invitation works once.' },
  IDENTITY_INVITATION_EXPIRED: { what: 'The invitation has expired', todo: 'Ask for a new one.' },
  IDENTITY_INVITATION_REFUSED: { what: 'Whoever invited you did not confirm that it was you', todo: 'Call them, compare the code, and ask for a new invitation.' },
  IDENTITY_ENROLMENT_FORGED: { what: 'What answers there is not the authority that the invitation names', todo: 'Do not go on: somebody is in the way, or the link was altered. Tell whoever invited you.' },
  IDENTITY_ENROLMENT_UNREACHABLE: { what: 'The authority cannot be reached', todo: 'Check that "stc ca serve" runs there, and the network; then try again with the same link.' },
  IDENTITY_ENROLMENT_REFUSED: { what: 'The authority refused', todo: 'The reason stands in the message; ask whoever runs the authority.' },
  IDENTITY_RENEWAL_REFUSED: { what: 'The certificate cannot be renewed by itself', todo: 'Ask whoever runs the authority for a new invitation.' },
  IDENTITY_FETCH_FAILED: { what: 'A statement about revocation could not be fetched', todo: 'Check the network and the address; "stc doctor pki" shows what was tried.' },

  // Files
  IDENTITY_FILE_MISSING: { what: 'There is no such file', todo: 'Check the path in the configuration.' },
  IDENTITY_FILE_UNREADABLE: { what: 'The file cannot be read', todo: 'Check its owner and permissions.' },
  IDENTITY_FILE_UNWRITABLE: { what: 'The file cannot be written', todo: 'Check owner and permissions of its folder, and the space left.' },
  IDENTITY_FILE_TOO_LARGE: { what: 'The file is larger than certificates and keys are', todo: 'Check that the right file is named.' },
  IDENTITY_FILE_NO_CERTIFICATE: { what: 'There is no certificate in the file', todo: 'It must hold blocks that start with "-----BEGIN CERTIFICATE-----".' },
  IDENTITY_FILE_NO_KEY: { what: 'There is no private key in the file', todo: 'It must hold a block that starts with "-----BEGIN PRIVATE KEY-----" (or RSA, EC or ENCRYPTED PRIVATE KEY).' },
  IDENTITY_FILE_DAMAGED: { what: 'A PEM block in the file is damaged', todo: 'Copy the file anew from where it was made.' },
  IDENTITY_PKCS12_MALFORMED: { what: 'The PKCS#12 file is damaged', todo: 'Export it anew from where it came.' },
  IDENTITY_PKCS12_UNSUPPORTED: { what: 'The PKCS#12 file is of a kind that is not taken here', todo: 'Export it anew with a password, or convert it: openssl pkcs12 -in OLD -nodes -out identity.pem' },
  IDENTITY_PKCS12_CONTENT: { what: 'The PKCS#12 file does not hold one key with its certificate', todo: 'Export the certificate together with its private key, and nothing else.' },
  IDENTITY_KEY_UNREADABLE: { what: 'The private key is damaged or of a kind that is not taken here', todo: 'Taken are RSA of 2048 to 4096 bits, P-256, P-384, P-521 and Ed25519.' },
  IDENTITY_KEY_MISMATCH: { what: 'The private key does not belong to the certificate', todo: 'Check that both files come from the same request.' },
  IDENTITY_OTHER_MACHINE: { what: 'The key was sealed on another machine', todo: 'A copy does not open here. Restore it from a backup (stc restore), or ask for a new certificate.' },
  IDENTITY_ROLLED_BACK: { what: 'An older copy of the sealed key was put back', todo: 'Put the newest one in its place; if nobody did that on purpose, somebody has write access to your files.' },
  IDENTITY_KEYRING: { what: 'The operating system\'s keyring does not give out what opens the key', todo: 'Unlock the keyring (log in on the desktop), or restore the key from a backup.' },
  IDENTITY_PASSPHRASE_NEEDED: { what: 'The private key is encrypted', todo: 'Give its passphrase.' },
  IDENTITY_PASSPHRASE_DIFFERS: { what: 'The two passphrases are not the same', todo: 'Nothing was changed. Try again.' },
  IDENTITY_PASSPHRASE_SHORT: { what: 'The passphrase is too short', todo: 'Take at least 8 characters; four or five words are better.' },
  IDENTITY_PASSPHRASE_WRONG: { what: 'The passphrase does not open the private key', todo: 'Try again.' },

  // The small authority
  IDENTITY_CA_EXISTS: { what: 'There is an authority in this folder already', todo: 'Use it, or choose another folder; nothing was changed.' },
  IDENTITY_CA_MISSING: { what: 'There is no authority in this folder', todo: 'Make one with "stc ca init", or name the right folder.' },
  IDENTITY_CA_INDEX_DAMAGED: { what: 'The list of issued certificates is damaged', todo: 'Restore index.jsonl from a copy.' },
  IDENTITY_AUDIT_BROKEN: { what: 'The record of what the authority did has been altered or cut', todo: 'Compare it with a copy; find out who had access.' },
  IDENTITY_SERIAL_UNKNOWN: { what: 'The authority has issued nothing to that name or serial number that still counts', todo: '"stc ca list" shows what it issued.' },
  IDENTITY_NAME_AMBIGUOUS: { what: 'Several certificates that still count go by that name', todo: 'Name the serial number, or add --all.' },
  IDENTITY_NAME_UNUSABLE: { what: 'This cannot go into a certificate', todo: 'Names have 1 to 64 characters, mail addresses and hosts their usual form.' },
  IDENTITY_OUTPUT_EXISTS: { what: 'The file exists already', todo: 'Choose another name with --out; nothing was overwritten.' },
} as const satisfies Record<string, FaultEntry>
