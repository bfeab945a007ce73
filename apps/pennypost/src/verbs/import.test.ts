import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findMaildir } from './import.ts'

test('folders of a Maildir that hold no mail were left out', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pennypost-import-'))
  try {
    for (const folder of ['', '.Plans.2027']) mkdirSync(join(root, folder, 'cur'), { recursive: true })
    expect((await findMaildir(root, {}, [])).mailboxes).toEqual(['INBOX', 'Plans/2027'])
    const below = await findMaildir(root, { mailbox: 'Old' }, [])
    expect(below.mailboxes).toEqual(['Old', 'Old/Plans/2027'])
    expect(await Array.fromAsync(below.messages())).toEqual([])
  } finally {
    rmSync(root, { recursive: true })
  }
})
