import { breathe } from '../fetch/breathe.ts'
import type { Output } from '../wire/output.ts'

/** ` 1 2 3`: the numbers of a result, however many: others get their turn in between. */
export async function writeNumbers(out: Output, numbers: Iterable<number>): Promise<void> {
  let text = ''
  let count = 0
  for (const number of numbers) {
    text += ` ${number}`
    if (++count % numbersPerPage !== 0) continue
    out.text(text)
    text = ''
    await out.rested()
    await breathe()
  }
  out.text(text)
}

const numbersPerPage = 5000
