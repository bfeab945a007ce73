import { nextTurn } from '@pennypost/model'
import { bothForms, type Completion, whenSelected } from '../command.ts'
import type { Extension } from '../extension.ts'
import { searchCriteria } from '../grammar/search-program.ts'
import type { By } from '../grammar/sequence-set.ts'
import { bad } from '../refusal.ts'
import { patiently } from '../search/progress.ts'
import { goneMeanwhile, runSearch } from '../search/run-search.ts'
import { askedAgain, type SearchProgram } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import { printThreads } from '../thread/print.ts'
import { runThread } from '../thread/run-thread.ts'
import { nodesPerPage, type ThreadAlgorithm } from '../thread/thread.ts'
import type { Cursor } from '../wire/cursor.ts'

/** THREAD: finds as SEARCH does and says which message answers which. */

interface Args {
  algorithm: ThreadAlgorithm
  program: SearchProgram
}

/** `"THREAD" SP thread-alg SP search-criteria` (RFC 5256 §5) */
function parse(cursor: Cursor, session: Session): Args {
  cursor.sp()
  const name = cursor.word('Algorithm')
  const algorithm = session.service.registry.threadAlgorithms.get(name)
  if (!algorithm) throw bad(`Unknown algorithm ${name.slice(0, 40)}`)
  cursor.sp()
  return { algorithm, program: searchCriteria(cursor, session) }
}

async function run(session: Session, { algorithm, program }: Args, by: By): Promise<Completion | undefined> {
  const view = session.selected
  const query = await askedAgain(program, session, view)
  const threads = await patiently(session, async () => {
    const found = await runSearch(session, query())
    return runThread(session, found, algorithm)
  })
  const numberOf = by === 'uid' ? (uid: number) => uid : (uid: number) => view.seqOf(uid)
  const { out } = session
  out.text(threads.length === 0 ? '* THREAD' : '* THREAD ')
  for (let start = 0; start < threads.length; start += nodesPerPage) {
    if (start > 0) {
      await out.ready()
      await nextTurn()
    }
    out.text(printThreads(threads, start, Math.min(start + nodesPerPage, threads.length), numberOf))
  }
  out.text('\r\n')
  return by === 'uid' ? undefined : goneMeanwhile(session)
}

const [thread, uidThread] = bothForms({
  name: 'THREAD',
  rfc: 'RFC 5256 §3',
  uidRfc: 'RFC 5256 §3',
  states: whenSelected,
  effects: { numbers: true },
  parse,
  run,
})

/** The command; the algorithms are extensions of their own, each with its capability. */
export const threadExtension: Extension = {
  name: 'THREAD',
  rfc: 'RFC 5256',
  commands: [thread, uidThread],
}
