/** The program: whatever is not needed by every verb is loaded by the verb. */
import { enableCompileCache } from 'node:module'

const { directory } = enableCompileCache()
// Worker threads find the cache by the variable.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory
// bcrypt and file I/O share these threads; set before the first of them starts.
process.env.UV_THREADPOOL_SIZE ??= '8'
const { run } = await import('./verbs/run.ts')
process.exitCode = await run(process.argv)
