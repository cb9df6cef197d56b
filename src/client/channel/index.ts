/** The client's connections to the server. */
export type { ServerAddress } from './dial.ts'
export { type MediaPathOptions, openMediaPath } from './media-path.ts'
export { openServerChannel, type ServerChannel, type ServerChannelOptions, serverChannel } from './server-channel.ts'
