/** A clone on a machine that has node, npm, git and sh, and nothing else, becomes ready. */
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { findProgram, freshEnvironment, Running, TemporaryDirectory } from './clone.ts'
import { files, root } from './tree.ts'

const isWanted = Boolean(process.env.CI ?? process.env.PENNYPOST_CLEAN_INSTALL)
const minutes = 60_000

test('a clean install needs node, npm, git and sh only', { timeout: 10 * minutes }, async (context) => {
  if (!isWanted) context.skip('downloads every dependency: set CI or PENNYPOST_CLEAN_INSTALL to run it')
  using clone = new TemporaryDirectory()
  for (const file of files) {
    mkdirSync(dirname(join(clone.path, file)), { recursive: true })
    cpSync(join(root, file), join(clone.path, file), { verbatimSymlinks: true })
  }
  using machine = new TemporaryDirectory()
  for (const name of ['node', 'npm', 'git', 'sh']) symlinkSync(findProgram(name), join(machine.path, name))
  using home = new TemporaryDirectory()
  const env = freshEnvironment({ PATH: machine.path, HOME: home.path })

  using ready = new Running('node', ['scripts/ready.js'], { cwd: clone.path, env })
  expect(await ready.exit, ready.output).toBe(0)
  expect(ready.output).toContain('done; Pennypost runs on Node v24.')
  using version = new Running('node_modules/.bin/node', ['-p', 'process.version'], { cwd: clone.path, env })
  expect(await version.exit).toBe(0)
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version.output) ?? []
  expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(2420)

  using again = new Running('node', ['scripts/ready.js'], { cwd: clone.path, env })
  expect(await again.exit).toBe(0)
  expect(again.output).toBe('')
  expect(readdirSync(clone.path).filter((name) => name.startsWith('.ready-lock'))).toEqual([])
})
