declare const brand: unique symbol
/** A nominal type: `Brand<number, 'Ssrc'>` is a number that is not interchangeable with other numbers. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Milliseconds of a monotonic clock; only differences mean anything. May have a fraction. */
export type Instant = Brand<number, 'Instant'>
/** Seconds since 1970-01-01 UTC. */
export type UnixTime = Brand<number, 'UnixTime'>
/** RTP synchronisation source, 32 bits unsigned (RFC 3550 §3). */
export type Ssrc = Brand<number, 'Ssrc'>
/** A DER encoding. */
export type Der = Brand<Uint8Array, 'Der'>
/** Name of a room, as dialled after the prefix: 1–64 of a-z 0-9 . _ - */
export type RoomName = Brand<string, 'RoomName'>

export const instant = (ms: number): Instant => ms as Instant
export const unixTime = (s: number): UnixTime => s as UnixTime
export const ssrc = (n: number): Ssrc => (n >>> 0) as Ssrc
