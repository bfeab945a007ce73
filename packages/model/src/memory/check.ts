/** Reads everything and says what does not fit together, as every engine's check does. */
import type { StoreFault } from '../ports/store.ts'
import type { MessageRow, State } from './state.ts'

export function* findFaults(state: State): Generator<StoreFault> {
  const references = new Map<MessageRow, number>()
  const refer = (message: MessageRow): void => void references.set(message, (references.get(message) ?? 0) + 1)
  for (const mailbox of state.mailboxes.values()) {
    for (const filing of mailbox.filings.values()) refer(filing.message)
    const uids = [...mailbox.filings.keys()]
    if (uids.some((uid, index) => uid <= (uids[index - 1] ?? 0) || uid >= mailbox.uidNext)) {
      yield fault('uid-wrong', `mailbox ${mailbox.id}`)
    }
    if ([...mailbox.filings.values()].some((filing) => filing.modSeq > mailbox.highestModSeq)) {
      yield fault('modseq-wrong', `mailbox ${mailbox.id}`)
    }
  }
  for (const pin of state.pins) for (const filing of pin.kept.values()) refer(filing.message)
  for (const row of state.queue.values()) refer(row.message)
  for (const message of new Set([...references.keys(), ...state.messages.values()])) {
    if (!state.messages.has(message.id)) yield fault('content-missing', `message ${message.id}`)
    else if (message.references !== references.get(message)) yield fault('counter-wrong', `message ${message.id}`)
  }
}

function fault(name: string, where: string): StoreFault {
  return { fault: name, where, advice: 'Report this: the memory engine holds what the process put there.' }
}
