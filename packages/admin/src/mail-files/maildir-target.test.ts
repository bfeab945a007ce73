/** What a Maildir can keep of a mailbox, and what it cannot. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MaildirTarget } from './maildir-target.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pennypost-maildir-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const opened = async (mailbox: string): Promise<MaildirTarget> => {
  const target = new MaildirTarget(root)
  await target.mailbox({ mailbox, uidValidity: 1, uidNext: 2 })
  return target
}

test('a message from before 1970 was dated at its export', async () => {
  const target = await opened('INBOX')
  const internalDate = { at: -86_400_000, offsetMinutes: 0 }
  await target.begin({ uid: 1, size: 0, flags: [], internalDate, uidl: 'u' })
  await target.end()
  const [name = ''] = readdirSync(join(root, 'cur'))
  expect(statSync(join(root, 'cur', name)).mtimeMs).toBe(internalDate.at)
})

test('a long name beyond ASCII ended the export with words of the system', async () => {
  await opened('ä'.repeat(90))
  await expect(opened('ä'.repeat(100))).rejects.toMatchObject({
    reason: 'limit',
    message: expect.stringContaining('too long'),
    advice: expect.stringContaining('mbox'),
  })
})
