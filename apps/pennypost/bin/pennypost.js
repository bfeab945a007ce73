#!/usr/bin/env node
// Plain JavaScript that any Node reads: it says which Node is needed before anything that needs it is loaded, and sets
// what has to be set before the first module is compiled and the first thread starts.
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 20)) {
  console.error(`pennypost: Node ${process.versions.node} is too old; version 24.20 or newer is needed.`)
  process.exit(1)
}
// Node takes the types out of TypeScript with WebAssembly, in every thread. V8 13.6 sometimes ends the process ("Check
// failed: jit_page.has_value()") when it replaces the wrappers of imported functions in two threads: so it never does.
setFlagsFromString('--wasm-wrapper-tiering-budget=1000000000')
// What is compiled is kept, and so is what the sources are without their types. Worker threads find it by the variable.
const cache = process.env.NODE_COMPILE_CACHE ?? ownDirectory()
const { directory } = cache === undefined ? {} : module.enableCompileCache(cache)
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory
// Imported by a module, node:http would load fetch for the sake of three names that nobody here asks it for.
const http = process.getBuiltinModule('node:http')
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) delete http[name]
// bcrypt and file I/O share these threads.
process.env.UV_THREADPOOL_SIZE ??= '8'
// A bundle has main.js beside this folder, a checkout has the sources.
const bundled = new URL('../main.js', import.meta.url)
await import(existsSync(bundled) ? bundled.href : new URL('../src/main.ts', import.meta.url).href)

/**
 * Where nobody but this user can write. What is kept there is run instead of the program, and Node's own directory, which
 * all users share, belongs to whoever came first.
 */
function ownDirectory() {
  const uid = process.getuid?.()
  const path = join(tmpdir(), `pennypost-${uid ?? 'cache'}`)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch {
    // It is there, or cannot be.
  }
  try {
    const found = lstatSync(path)
    const isOwn = uid === undefined || (found.uid === uid && (found.mode & 0o077) === 0)
    return isOwn && found.isDirectory() ? path : undefined
  } catch {
    return undefined
  }
}
