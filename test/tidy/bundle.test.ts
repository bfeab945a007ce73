/** What `scripts/bundle.ts` makes of a small program with a worker, and what it refuses. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundle } from '../../scripts/bundle.ts'
import { Running, TemporaryDirectory } from './clone.ts'

/** A repository with one program that asks its worker something and says what it hears. */
class Repository extends TemporaryDirectory {
  readonly entries = { main: 'apps/pennypost/src/main.ts', writer: 'packages/store/src/writer/main.ts' }

  constructor() {
    super()
    this.write('package.json', '{ "description": "mail" }')
    this.write('apps/pennypost/package.json', '{ "version": "1.2.3", "license": "MIT" }')
    const dependencies = { 'better-sqlite3': '13.2.0', bcrypt: '6.0.0' }
    this.write('packages/store/package.json', JSON.stringify({ dependencies }))
    this.write('node_modules/postcard/package.json', '{ "name": "postcard", "version": "4.5.6", "license": "ISC" }')
    this.write(
      'node_modules/postcard/index.js',
      `exports.sep = require('path').sep; exports.greet = (name) => 'hello ' + name`,
    )
    this.write('node_modules/postcard/LICENSE', 'Do as you please.')
    this.write(
      'packages/store/src/greeting.ts',
      `import { greet } from 'postcard'\nexport const greeting: string = greet('worker')`,
    )
    this.write(
      this.entries.main,
      `import { Worker } from 'node:worker_threads'
       const { greeting } = await import('../../../packages/store/src/greeting.ts')
       new Worker(new URL('./writer.js', import.meta.url)).on('message', (text: string) => console.log(greeting, text))`,
    )
    this.write(
      this.entries.writer,
      `import { parentPort } from 'node:worker_threads'
       import { greeting } from '../greeting.ts'
       parentPort?.postMessage(greeting)`,
    )
  }
}

test('a bundle runs from an empty directory, workers included', async () => {
  using repository = new Repository()
  using place = new TemporaryDirectory()
  const outDir = join(place.path, 'dist')
  repository.write('LICENSE', 'Ours.')
  const { path, entries } = repository
  expect(await bundle({ root: path, outDir, entries, copies: { 'doc/LICENSE': 'LICENSE' } })).toEqual([
    'main.js',
    'writer.js',
  ])
  using run = new Running(process.execPath, [join(outDir, 'main.js')], { cwd: place.path, env: {} })
  expect(await run.exit).toBe(0)
  expect(run.output).toBe('hello worker hello worker\n')

  const manifest = JSON.parse(readFileSync(join(outDir, 'package.json'), 'utf8'))
  expect(manifest).toMatchObject({ name: 'pennypost', version: '1.2.3', type: 'module' })
  expect(manifest.dependencies).toEqual({ 'better-sqlite3': '13.2.0', bcrypt: '6.0.0' })
  expect(readFileSync(join(outDir, 'doc/LICENSE'), 'utf8')).toBe('Ours.')
  expect(readFileSync(join(outDir, 'THIRD-PARTY-NOTICES.txt'), 'utf8')).toBe('postcard 4.5.6\n\nDo as you please.\n')
})

test('a listed source that is missing is an error, and nothing is touched', async () => {
  using repository = new Repository()
  const outDir = join(repository.path, 'dist')
  const entries = { ...repository.entries, reader: 'packages/store/src/reader/main.ts' }
  await expect(bundle({ root: repository.path, outDir, entries, copies: { LICENSE: 'LICENSE' } })).rejects.toThrow(
    'missing: packages/store/src/reader/main.ts, LICENSE',
  )
  expect(existsSync(outDir)).toBe(false)
})
