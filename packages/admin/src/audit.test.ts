/** The audit where its file cannot be written. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestAdministration } from '../test/admin-context.ts'
import { type AuditRecord, createAuditFile } from './audit.ts'

test('a change that had been made was told as failed where its audit record found no place', async () => {
  const lost: string[] = []
  const file = { path: '' }
  using admin = new TestAdministration({
    audit: (record: AuditRecord) => createAuditFile(file.path, ({ operation }) => lost.push(operation))(record),
  })
  // A directory of this name: nothing can be written there.
  file.path = admin.directory
  expect(await admin.call('domain.add', { name: 'one.test' })).toMatchObject({ name: 'one.test' })
  // A refusal stays the refusal that it was.
  await expect(admin.call('domain.add', { name: 'one.test' })).rejects.toMatchObject({ reason: 'exists' })
  expect(lost).toEqual(['domain.add', 'domain.add'])
})

test('a record behind one that was cut off has a line of its own', async () => {
  using admin = new TestAdministration()
  const path = join(admin.directory, 'audit.log')
  const keep = createAuditFile(path, () => {})
  const record = { at: '', actor: 'tester', operation: 'domain.add', input: {}, outcome: 'done' as const }
  mkdirSync(path)
  await keep(record)
  rmdirSync(path)
  await keep(record)
  await keep(record)
  const line = JSON.stringify(record)
  expect(readFileSync(path, 'utf8')).toBe(`\n${line}\n${line}\n`)
})

test('the first record after a loss of power stood on the line of the one that it had cut off', async () => {
  using admin = new TestAdministration()
  const path = join(admin.directory, 'audit.log')
  const record = { at: '', actor: 'tester', operation: 'domain.add', input: {}, outcome: 'done' as const }
  const line = JSON.stringify(record)
  writeFileSync(path, `${line}\n{"at":`)
  await createAuditFile(path, () => {})(record)
  await createAuditFile(path, () => {})(record)
  expect(readFileSync(path, 'utf8')).toBe(`${line}\n{"at":\n${line}\n${line}\n`)
})
