/** Which test files share a process, and in which order the processes start. */

/** Files of one process, which run one after the other. */
export type Batch = readonly string[]

/** Files that need a process of their own. All others close what they open and put back what they change. */
const ALONE: readonly { readonly file: RegExp; readonly why: string }[] = [
  { file: /^unit\/net\/native\/node-events\./, why: 'counts how often the event loop of its process comes up' },
  { file: /^scenario\/media-skew/, why: 'takes minutes with STC_LONG: beside each other, not one after the other' },
]

/** Tests of whole programs, threads and sockets in real time: they wait more than they compute, and run beside the others. */
const WAITING = /^(e2e\/|attack\/vault-memory\.|port\/(vault|channel-doors|media-over-tls)\.|unit\/(net|cli|media\/(host|plane-host|plane-several))\b)/

/** Folders whose files take longest: they start first, so that no long file runs alone at the end. */
const FIRST = ['scenario', 'attack', 'port', 'unit/protocol', 'unit/audio', 'vectors', 'fuzz', 'unit/media']

/** As many files to a process: enough to load the sources once for all of them, few enough that the last processes end together. */
const TOGETHER = 12

export interface Plan {
  readonly computing: Batch[]
  readonly waiting: Batch[]
}

/** The longest first. */
export function planOf(files: readonly string[]): Plan {
  const own = files.filter((f) => ALONE.some((a) => a.file.test(f)))
  const shared = files.filter((f) => !own.includes(f))
  return {
    computing: [...own.map((f) => [f]), ...batches(shared.filter((f) => !WAITING.test(f)))],
    waiting: batches(shared.filter((f) => WAITING.test(f))),
  }
}

/** Files of one folder import much of the same. */
function batches(files: readonly string[]): Batch[] {
  const folders = [...Map.groupBy(files, folderOf)].sort(([a], [b]) => rank(a) - rank(b))
  return folders.flatMap(([, inside]) => {
    const count = Math.ceil(inside.length / TOGETHER)
    return Array.from({ length: count }, (_, i) => inside.filter((_file, n) => n % count === i))
  })
}

const folderOf = (file: string): string => file.split('/').slice(0, file.startsWith('unit/') ? 2 : 1).join('/')
const rank = (folder: string): number => (FIRST.includes(folder) ? FIRST.indexOf(folder) : FIRST.length)
