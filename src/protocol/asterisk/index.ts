/** Asterisk's own two protocols: the manager interface (AMI) and FastAGI. */
export { AmiClient, type AmiIn, type AmiOptions, type AmiOut } from './ami/client.ts'
export { type AmiField, AmiMessage, AmiReader, encodeAction } from './ami/message.ts'
export { agiCommand, type AgiReply, type AgiRequest, parseEnvironment, parseReply } from './agi/message.ts'
export { type AgiIn, type AgiOut, AgiSession } from './agi/session.ts'
