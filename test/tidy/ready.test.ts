/** What `scripts/ready.js` promises, in a clone whose `npm ci` is a stand-in. */
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProgram, freshEnvironment, machinePath, Running, TemporaryDirectory } from './clone.ts'
import { type Manifest, readJson, root } from './tree.ts'

const binary = `node-${process.platform}-${process.arch}/bin/node`

/** A clone that has nothing but what ready.js looks at. Its npm notes its arguments and brings the given Node. */
class Clone extends TemporaryDirectory {
  readonly env: NodeJS.ProcessEnv

  constructor(options: { npm?: string } = {}) {
    super()
    cpSync(join(root, 'scripts/ready.js'), join(this.path, 'scripts/ready.js'), { recursive: true })
    const { scripts } = readJson<Manifest & { scripts: object }>('package.json')
    this.write('package.json', JSON.stringify({ name: 'clone', type: 'module', scripts }))
    this.write('package-lock.json', '{}')
    const bringNode = `mkdir -p ${dirname(`node_modules/${binary}`)} && ln -sf '${process.execPath}' node_modules/${binary}`
    this.write('machine/npm', `#!/bin/sh\necho "$@" >> npm.log\n${options.npm ?? bringNode}\n`, 0o755)
    this.env = freshEnvironment({ PATH: [join(this.path, 'machine'), machinePath].join(delimiter), HOME: this.path })
  }

  run(...nodeOptions: string[]): Running {
    return new Running(process.execPath, [...nodeOptions, 'scripts/ready.js'], { cwd: this.path, env: this.env })
  }

  /** The arguments of every npm that was started. */
  get installs(): string[] {
    const log = join(this.path, 'npm.log')
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  }

  get isLocked(): boolean {
    return readdirSync(this.path).some((name) => name.startsWith('.ready-lock'))
  }
}

const old = ['--import', `data:text/javascript,Object.defineProperty(process, 'version', { value: 'v20.19.0' })`]

describe.skipIf(process.platform !== 'linux')('ready', () => {
  test('installs once, without install scripts, and is silent afterwards', async () => {
    using clone = new Clone()
    const first = clone.run()
    expect(await first.exit, first.output).toBe(0)
    expect(first.output).toContain(`done; Pennypost runs on Node ${process.version}`)
    expect(realpathSync(join(clone.path, 'node_modules/.bin/node'))).toBe(realpathSync(process.execPath))
    const second = clone.run()
    expect(await second.exit).toBe(0)
    expect(second.output).toBe('')
    expect(clone.installs).toEqual([
      'ci --ignore-scripts --bin-links --include=dev --include=optional --loglevel=error',
    ])
    expect(clone.isLocked).toBe(false)
  })

  test('installs again when the lock file has changed', async () => {
    using clone = new Clone()
    await clone.run().exit
    clone.write('package-lock.json', '{ "lockfileVersion": 3 }')
    expect(await clone.run().exit).toBe(0)
    expect(clone.installs).toHaveLength(2)
  })

  test('a failed install leaves no stamp and no lock', async () => {
    using clone = new Clone({ npm: 'mkdir -p node_modules; exit 7' })
    const failed = clone.run()
    expect(await failed.exit).toBe(1)
    expect(failed.output).toContain('`npm ci` failed (7)')
    expect(clone.isLocked).toBe(false)
    await clone.run().exit
    expect(clone.installs).toHaveLength(2)
  })

  test('of two runs at once, one installs and the other waits for it', async () => {
    using clone = new Clone()
    const npm = readFileSync(join(clone.path, 'machine/npm'), 'utf8')
    clone.write('machine/npm', `${npm}until [ -e go ]; do sleep 0.02; done\n`)
    using first = clone.run()
    await first.says('installing')
    using second = clone.run()
    await second.says(`process ${first.child.pid} is installing here already; waiting for it`)
    clone.write('go', '')
    expect([await first.exit, await second.exit]).toEqual([0, 0])
    expect(clone.installs).toHaveLength(1)
    expect(clone.isLocked).toBe(false)
  })

  test('the lock of a dead process is taken over, by one of several', async () => {
    using clone = new Clone()
    const dead = new Running(process.execPath, ['--version'], { cwd: clone.path, env: clone.env })
    await dead.exit
    clone.write(`.ready-lock/${dead.child.pid}`, '')
    const runs = [clone.run(), clone.run(), clone.run()]
    expect(await Promise.all(runs.map((run) => run.exit))).toEqual([0, 0, 0])
    expect(clone.installs).toHaveLength(1)
    expect(clone.isLocked).toBe(false)
  })

  test('a signal ends npm too and gives the lock back', async () => {
    using clone = new Clone({ npm: 'echo $$ > npm.pid; echo started >&2; exec sleep 60' })
    using run = clone.run()
    await run.says('started')
    run.child.kill('SIGTERM')
    expect(await run.exit).toBe(143)
    expect(() => process.kill(Number(readFileSync(join(clone.path, 'npm.pid'), 'utf8')), 0)).toThrow('ESRCH')
    expect(clone.isLocked).toBe(false)
  })

  test('where the locked Node cannot run, the machine must have a new one', async () => {
    using clone = new Clone({ npm: 'mkdir -p node_modules' })
    const tooOld = clone.run(...old)
    expect(await tooOld.exit).toBe(1)
    expect(tooOld.output).toContain('Pennypost needs Node 24.20 or newer. The lock file brings none that runs here')
    expect(clone.isLocked).toBe(false)
    const newEnough = clone.run()
    expect(await newEnough.exit).toBe(0)
    expect(newEnough.output).toContain(`the machine's own Node ${process.version}`)
    expect(await clone.run().exit).toBe(0)
    expect(clone.installs).toHaveLength(2)
  })

  test('`npm start` as the first command runs the program on the Node that it has just installed', async () => {
    using clone = new Clone()
    clone.write('apps/pennypost/bin/pennypost.js', `import '../src/main.ts'`)
    clone.write(
      'apps/pennypost/src/main.ts',
      `const keep: NodeJS.Timeout = setInterval(() => {}, 1000)
       process.on('SIGTERM', () => { clearInterval(keep); console.log('drained') })
       console.log('runs on', process.execPath, ...process.argv.slice(2), '.')`,
    )
    expect(existsSync(join(clone.path, 'node_modules'))).toBe(false)
    using npm = new Running(findProgram('npm'), ['start'], { cwd: clone.path, env: clone.env })
    await npm.says(`runs on ${realpathSync(process.execPath)} serve --demo .`)
    npm.child.kill('SIGTERM')
    await npm.says('drained')
    await npm.exit
  })
})

test('every script makes the clone ready first, and ends in its program', () => {
  const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json')
  for (const [name, script] of Object.entries(scripts)) {
    expect(script, name).toMatch(/^node scripts\/ready\.js && hash -r && (?:[^&]+ && )*exec [^&]+$/)
  }
  // Lifecycle scripts would run by themselves, and with `--ignore-scripts` not at all.
  expect(Object.keys(scripts).filter((name) => /^(pre|post)|^prepare|^install$/.test(name))).toEqual([])
})
