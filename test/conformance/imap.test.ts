/** Every IMAP dialogue against the SQLite engine; the package itself plays them against the memory engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dialogueFiles, playDialogue, readDialogue } from '@pennypost/imap/dialogues'
import { silentLog, systemDeadline } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { openSqliteStore } from '@pennypost/storage-sqlite'
import { describe, it } from 'vitest'

describe('IMAP on SQLite', () => {
  for (const file of dialogueFiles()) {
    const dialogue = readDialogue(file)
    it(dialogue.title, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'pennypost-imap-'))
      try {
        await playDialogue(dialogue, (clock) =>
          openSqliteStore({
            directory,
            clock,
            searchThread: new URL('../../apps/pennypost/src/serve/search-thread.ts', import.meta.url),
            deadline: systemDeadline,
            random: seededRandom(1),
            log: silentLog,
          }),
        )
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    })
  }
})
