/** Names of files and folders, and what the head of a file owes its reader. */
import { basename, dirname } from 'node:path/posix'
import { expect, test } from 'vitest'
import { countLines, files, isTest, mustHold, read, sources } from './tree.ts'

/** A bin is a name that says nothing about what may lie in it, so that in the end everything does. */
const binsAnywhere = /(^|-)(utils?|helpers?|misc)(-|$)/
const binsAlone = /^(common|shared|types)$/

function isBin(name: string): boolean {
  return binsAnywhere.test(name) || binsAlone.test(name)
}

/** The parts of a path without their extensions: `a/b-c.test.ts` → a, b-c. */
function partsOf(path: string): string[] {
  return path.split('/').map((part) => part.replace(/\..*$/, ''))
}

test('bins are told from names', () => {
  expect(['utils', 'string-utils', 'test-helpers', 'common', 'shared', 'types'].filter(isBin)).toHaveLength(6)
  expect(['shared-mailboxes', 'common-name', 'mime-types', 'utf7', 'miscount'].filter(isBin)).toEqual([])
})

test('no file or folder is a bin', () => {
  mustHold(
    'no folder or file is named utils, common, shared, helpers, misc or types',
    files.filter((path) => partsOf(path).some(isBin)),
  )
})

test('names are kebab-case', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/
  const ownFiles = sources.filter((path) => !partsOf(basename(path)).every((part) => kebab.test(part)))
  const folders = new Set(files.filter((path) => /^(packages|apps|test|scripts|deploy)\//.test(path)).map(dirname))
  const ownFolders = [...folders].filter((path) => !path.split('/').every((part) => kebab.test(part)))
  mustHold('file and folder names are kebab-case', [...ownFiles, ...ownFolders])
})

/** A command is a value that begins with its name and its RFC section: that is its head. */
const namesItsSection = /^(?:.*\n){0,15}.*\brfc: ?['"]/

test('every file says what it is for', () => {
  const longEnoughLines = 30
  mustHold(
    'a file begins with a comment that says what it is for, what it must never break, who calls it',
    sources.filter((path) => {
      if (isTest(path) || !/^(packages|apps|scripts)\//.test(path) || basename(path) === 'index.ts') return false
      const text = read(path)
      if (countLines(text) < longEnoughLines || namesItsSection.test(text)) return false
      return !/^(\/\*\*|\/\/)/.test(withoutImports(text))
    }),
  )
})

/** The text after its imports: a head may stand before them or behind. */
function withoutImports(text: string): string {
  const start = text.replace(/^#!.*\n/, '')
  return /^(\/\*\*|\/\/)/.test(start)
    ? start
    : start.replace(/^(?:import\s[^;]*?from\s+'[^']+'\n|import\s+'.*\n|\s*\n)*/, '')
}
