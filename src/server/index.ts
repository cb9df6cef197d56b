/** The server. */
export { readServerConfig, type ServerConfig, serverConfig } from './config.ts'
export { attach, mayAttach } from './attach.ts'
export { ServerCore } from './core.ts'
export type { CoreOptions } from './core-options.ts'
export { type Log, pinoLog, silentLog } from './log.ts'
export type { Peer } from './session.ts'
export { type Server, startServer } from './main.ts'
export type { ServerStatus } from './status.ts'
