import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '@pennypost/model'
import { afterEach, expect, test, vi } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'
import { restoreStore } from './index.ts'

vi.mock('node:fs', { spy: true })
const { renameSync: really } = await vi.importActual<typeof import('node:fs')>('node:fs')
afterEach(() => vi.restoreAllMocks())

test.each([1, 2, 3, 4, 5])(
  'a restore that breaks off after %i moves leaves no mail.db without its log, no place for a new store, and can be run again',
  async (moves) => {
    const root = temporaryDirectory()
    const [data, backup] = [join(root, 'data'), join(root, 'backup')]
    {
      await using store = await openStore(data)
      await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
      await store.backup(backup)
    }
    // As a server leaves them that was killed.
    for (const name of ['mail.db-wal', 'mail.db-shm']) writeFileSync(join(data, name), 'what a commit has left')
    const options = { backup, directory: data, replace: true, beside: [], now: 0, log: silentLog }
    const rename = vi.mocked(renameSync)
    let done = 0
    rename.mockImplementation((from, to) => {
      if (++done > moves) throw new Error('killed')
      really(from, to)
    })
    await expect(restoreStore({ ...options, asideName: 'aside' })).rejects.toThrow('killed')
    expect(existsSync(join(data, 'mail.db'))).toBe(false)
    rename.mockImplementation(really)
    // A new one would know nobody, and refuse all mail.
    await expect(openStore(data)).rejects.toThrow('was broken off')
    await restoreStore({ ...options, asideName: 'aside again' })
    await using store = await openStore(data)
    expect(await store.directory.domain('one.test')).toBeDefined()
    rmSync(root, { recursive: true, force: true })
  },
)

test('the store that a restore moved aside before it broke off had given out UIDVALIDITYs that came again', async () => {
  const root = temporaryDirectory()
  const [data, backup] = [join(root, 'data'), join(root, 'backup')]
  {
    await using store = await openStore(data)
    await addAlice(store)
    await store.backup(backup)
  }
  const options = { backup, directory: data, replace: true, beside: [], now: 0, log: silentLog }
  // Each restore lifts the numbers by more than any backup knows of.
  for (const asideName of ['first', 'second']) await restoreStore({ ...options, asideName })
  const given = await validities(data)
  let done = 0
  vi.mocked(renameSync).mockImplementation((from, to) => {
    if (++done > 2) throw new Error('killed')
    really(from, to)
  })
  await expect(restoreStore({ ...options, asideName: 'third' })).rejects.toThrow('killed')
  vi.mocked(renameSync).mockImplementation(really)
  await restoreStore({ ...options, asideName: 'fourth' })
  expect(Math.min(...(await validities(data)))).toBeGreaterThan(Math.max(...given))
  rmSync(root, { recursive: true, force: true })
})

async function validities(data: string): Promise<number[]> {
  await using store = await openStore(data)
  const account = await store.directory.accountByLogin('alice@one.test')
  return (await store.mail.mailboxes(account!.id)).map(({ uidValidity }) => uidValidity)
}

test('a server that started after a kill amid a restore began a new store, and refused all mail', async () => {
  const data = temporaryDirectory()
  // What the kill leaves: nothing of it is run that tidies up.
  mkdirSync(join(data, 'restoring'))
  await expect(openStore(data)).rejects.toThrow(`A restore into ${data} was broken off`)
  rmSync(join(data, 'restoring'), { recursive: true })
  await (await openStore(data)).close()
  rmSync(data, { recursive: true, force: true })
})
