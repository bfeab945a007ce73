/** The program: whatever is not needed by every verb is loaded by the verb. `bin/pennypost.js` has set up the process. */
import { run } from './verbs/run.ts'

process.exitCode = await run(process.argv)
