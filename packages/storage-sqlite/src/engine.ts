import type { Clock, Log } from '@pennypost/model'
import type { ContentFiles } from './content/content-files.ts'
import type { SqliteLimits } from './options.ts'
import type { Pins } from './pins.ts'
import type { Reader } from './reader/reader.ts'
import type { Room } from './room.ts'
import type { SearchClient } from './search/search-client.ts'
import type { Watchers } from './watchers.ts'
import type { WriterClient } from './writer-client.ts'

/** What the ports' adapters share. Made by `open-sqlite-store.ts`. */
export interface Engine {
  reader: Reader
  writer: Pick<WriterClient, 'run' | 'hasFailed'>
  files: ContentFiles
  clock: Clock
  log: Log
  limits: SqliteLimits
  search: Pick<SearchClient, 'search' | 'opened'>
  room: Room
  pins: Pins
  /** What is received and not yet stored, in memory. */
  staged: { octets: number }
  watchers: Watchers
}
