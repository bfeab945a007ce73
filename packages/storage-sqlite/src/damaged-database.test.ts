import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStore, temporaryDirectory } from '../test/temporary-store.ts'

test('a database that is damaged was told in the words of SQLite', async () => {
  const directory = temporaryDirectory()
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'mail.db'), 'This is no database. '.repeat(100))
  await expect(openStore(directory)).rejects.toThrow(/mail\.db is damaged; `pennypost restore DIR --replace`/)
})
