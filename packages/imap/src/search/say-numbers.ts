import { nextTurn } from '@pennypost/model'
import type { SearchFound } from '../extension.ts'
import type { Session } from '../session/session.ts'
import type { Output } from '../wire/output.ts'
import { besides } from './return-options.ts'
import { resultNumbers } from './run-search.ts'

/** `* SEARCH 1 2 3` (RFC 3501 §7.2.5) and `* SORT 3 1 2` (RFC 5256 §4), with MODSEQ as RFC 7162 §7 has it. */
export async function sayNumbers(session: Session, name: 'SEARCH' | 'SORT', found: SearchFound): Promise<undefined> {
  const { out } = session
  out.text(`* ${name}`)
  await writeNumbers(out, resultNumbers(session, found))
  for (const text of besides(session, found)) out.text(` (${text})`)
  out.text('\r\n')
}

/** ` 1 2 3`: the numbers of a result, however many: others get their turn in between. */
async function writeNumbers(out: Output, numbers: Iterable<number>): Promise<void> {
  let text = ''
  let count = 0
  for (const number of numbers) {
    text += ` ${number}`
    if (++count % numbersPerPage !== 0) continue
    out.text(text)
    text = ''
    await out.drained()
    await nextTurn()
  }
  out.text(text)
}

const numbersPerPage = 5000
