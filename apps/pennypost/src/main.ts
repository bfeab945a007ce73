/** The program: whatever is not needed by every verb is loaded by the verb. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
// bcrypt and file I/O share these threads; set before the first of them starts.
process.env.UV_THREADPOOL_SIZE ??= '8'
const { run } = await import('./verbs/run.ts')
process.exitCode = await run(process.argv)
