#!/usr/bin/env node
// Plain JavaScript that any Node reads: it says which Node is needed before anything that needs it is loaded.
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 20)) {
  console.error(`pennypost: Node ${process.versions.node} is too old; version 24.20 or newer is needed.`)
  process.exit(1)
}
// From here on what is compiled is kept, and so is what the sources are without their types.
module.enableCompileCache()
// A bundle has main.js beside this folder, a checkout has the sources.
const bundled = new URL('../main.js', import.meta.url)
await import(existsSync(bundled) ? bundled.href : new URL('../src/main.ts', import.meta.url).href)
