import type { CodecName, FrameCodec } from './codec.ts'
import { g722Codec, pcmaCodec, pcmuCodec } from './codec.ts'
import type { OpusLibrary } from './opus.ts'

/** Makes the codec of one stream. Without the library, Opus is not among the choices. */
export interface CodecFactory {
  readonly names: readonly CodecName[]
  create(name: CodecName): FrameCodec
}

/** By a name from a description; undefined: it is none of these. */
export function codecNamed({ names, create }: CodecFactory, name: string): FrameCodec | undefined {
  const known = names.find((n) => n === name)
  return known === undefined ? undefined : create(known)
}

export function codecFactory(opus?: OpusLibrary): CodecFactory {
  return {
    names: opus === undefined ? ['g722', 'pcmu', 'pcma'] : ['g722', 'opus', 'pcmu', 'pcma'],
    create(name) {
      switch (name) {
        case 'g722': return g722Codec()
        case 'pcmu': return pcmuCodec()
        case 'pcma': return pcmaCodec()
        case 'opus':
          if (opus === undefined) throw new Error('Opus was not loaded')
          return opus.codec()
      }
    },
  }
}
