import { mkdir, open, readFile } from 'node:fs/promises'
import { StoreError } from '@pennypost/model'
import { expect, test } from 'vitest'
import { asAdminError } from './store-refusals.ts'
import { systemFault } from './system-faults.ts'

test.each([
  ['a file that is not there', () => open('/nonexistent/file'), 'not-found', 'There is no /nonexistent/file.'],
  ['a directory in none', () => mkdir('/nonexistent/a'), 'not-found', '/nonexistent/a cannot be made in /nonexistent.'],
  ['a directory in a file', () => mkdir('/dev/null/a'), 'failed', '/dev/null/a is no directory, or lies in none.'],
  [
    'a name beyond all names',
    () => open(`/${'x'.repeat(300)}`),
    'limit',
    `/${'x'.repeat(300)} is a name too long for files.`,
  ],
  ['a directory for a file', () => readFile('/'), 'failed', 'What was named is a directory.'],
])('%s was told in the words of the system', async (_, work, reason, text) => {
  const error = await work().catch((thrown: unknown) => thrown)
  expect(systemFault(error)).toMatchObject({ reason, text })
  expect(asAdminError(error)).toMatchObject({ reason, message: text })
})

test.each([
  ['SQLITE_NOTADB', 'A database of the data directory is damaged.'],
  ['SQLITE_CORRUPT_INDEX', 'A database of the data directory is damaged.'],
  ['SQLITE_READONLY_DIRECTORY', 'A database of the data directory cannot be opened or written.'],
])('%s was told in the words of SQLite, and nobody knew what to do', (code, text) => {
  const error = Object.assign(new Error('file is not a database'), { code })
  expect(systemFault(error)).toMatchObject({ text, advice: expect.stringMatching(/./) })
})

test('what a full disk says of a file that is open is without its name', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
  expect(systemFault(error)).toEqual({
    reason: 'unavailable',
    text: 'The disk is full.',
    advice: 'Make room, then try again.',
  })
})

test('a copy to a disk that is read-only was told of the file that is copied', () => {
  const error = Object.assign(new Error('EROFS'), { code: 'EROFS', path: '/data/secrets/srs', dest: '/backup/srs' })
  expect(systemFault(error)?.text).toBe('/backup/srs is on a disk that nothing can be written to.')
})

test('what is no word on a path is left alone', () => {
  expect(systemFault(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBeUndefined()
  expect(systemFault(undefined)).toBeUndefined()
})

test('a call that was broken off ended in a TypeError, for the number that its error has as code', () => {
  const broken = AbortSignal.abort().reason as Error
  expect(systemFault(broken)).toBeUndefined()
  expect(asAdminError(broken)).toMatchObject({ reason: 'failed' })
})

test.each([
  ['there is no domain one.test', 'There is no domain one.test.'],
  ['no such account', 'No such account.'],
  ['there@one.test exists', 'there@one.test exists.'],
])('the store’s "%s" becomes a sentence', (text, sentence) => {
  expect(asAdminError(new StoreError('exists', text)).message).toBe(sentence)
})
