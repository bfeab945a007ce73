import { join } from 'node:path'
import { sqliteLimits } from '../src/options.ts'
import type { WriterData } from '../src/writer/protocol.ts'
import { Writer } from '../src/writer/writer.ts'

/** A writer without its thread, with its database and contents in a directory. Tests of the writer call it, and close it. */
export function openBareWriter(directory: string, given: Partial<WriterData> = {}): Writer {
  const { walCeilingFrames, groupJobs, cacheOctets } = sqliteLimits
  return new Writer({
    database: join(directory, 'mail.db'),
    contents: directory,
    ballast: join(directory, 'ballast'),
    incarnation: 'test',
    now: 0,
    limits: sqliteLimits,
    walCeilingFrames,
    groupJobs,
    cacheOctets,
    faults: [],
    ...given,
  })
}
