/** The program: whatever is not needed by every verb is loaded by the verb. */
import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'

// Node takes the types out of TypeScript with WebAssembly, in every thread. V8 13.6 sometimes ends the process ("Check
// failed: jit_page.has_value()") when it replaces the wrappers of imported functions in two threads: so it never does.
setFlagsFromString('--wasm-wrapper-tiering-budget=1000000000')
const { directory } = enableCompileCache()
// Worker threads find the cache by the variable.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory
// bcrypt and file I/O share these threads; set before the first of them starts.
process.env.UV_THREADPOOL_SIZE ??= '8'
const { run } = await import('./verbs/run.ts')
process.exitCode = await run(process.argv)
