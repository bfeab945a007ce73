import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { UidSet } from '@pennypost/model'
import { recount } from '@pennypost/model/contract'
import { seededRandom } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { bundledWorkers } from '../test/bundled-workers.ts'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])

/** Runs the child on the store until it has said so many lines, kills it, and gives all that it said. */
async function writeUntilKilled(directory: string, lines: number): Promise<string[]> {
  const { writer, keeper, search, crashChild } = await bundledWorkers()
  const child = spawn(process.execPath, [crashChild, directory, writer.href, keeper.href, search.href], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '' },
  })
  let output = ''
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    output += chunk.toString()
    if (output.split('\n').length > lines) child.kill('SIGKILL')
  }
  expect(errors).toBe('')
  return output.split('\n').slice(0, -1)
}

test('kill -9 loses nothing that was acknowledged and stores nothing twice', async () => {
  const directory = temporaryDirectory()
  try {
    const first = await openStore(directory)
    const { inbox } = await addAlice(first)
    await first.close()

    const random = seededRandom(9)
    const acknowledged = new Set<string>()
    let modSeq = 0
    for (let round = 0; round < 10; round++) {
      for (const line of await writeUntilKilled(directory, 1 + Math.floor(random.fraction() * 200))) {
        const [what, value = ''] = line.split(' ')
        if (what === 'accepted') acknowledged.add(value)
        else modSeq = Math.max(modSeq, Number(value))
      }
      const store = await openStore(directory)
      expect(await Array.fromAsync(store.check())).toEqual([])
      const pages = await Array.fromAsync(store.mail.fetch(inbox, everything, { journey: true }))
      const stored = pages.flat().map((row) => row.journey as string)
      expect(new Set(stored).size).toBe(stored.length)
      expect([...acknowledged].filter((journey) => !stored.includes(journey))).toEqual([])
      // The index was written meanwhile: it finds every one of them.
      const letters = await store.mail.search(inbox, { key: 'header', field: 'subject', text: '' }, everything)
      expect(letters.size).toBe(stored.length)
      for (const row of pages.at(-1) ?? []) await Array.fromAsync(store.mail.readBody(row.message))
      // What is given out after the crash is beyond all that anybody was told before.
      await store.mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'replace', flags: [`round${round}`] })
      const { highestModSeq = 0 } = (await store.mail.mailbox(inbox)) ?? {}
      expect(highestModSeq).toBeGreaterThan(modSeq)
      await recount(store)
      await store.close()
    }
    expect(acknowledged.size).toBeGreaterThan(0)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
