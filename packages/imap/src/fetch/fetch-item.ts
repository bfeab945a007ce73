import type { FetchedMessage, FetchNeed } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'
import type { Output } from '../wire/output.ts'

/** One message as items are written for it. */
export interface FetchTarget {
  readonly session: Session
  readonly view: View
  readonly out: Output
  seq: number
  uid: number
  /** Index in the arrays of `view.open`. */
  openIndex: number
  /** Present when some item of the command needs more than flags. */
  row: FetchedMessage | undefined
}

/** One parsed fetch attribute (RFC 9051 §6.4.5). It writes `NAME value`, without spaces around it. */
export interface FetchItem {
  /** Two items of the same key are written once. */
  key: string
  /** What it reads of the store; absent when the shared state is enough. */
  need?: FetchNeed
  /** Fetching it sets \Seen. */
  setsSeen?: boolean
  /** It says something of the message's text: whoever fetches it has read the message. */
  reads?: boolean
  /** Looks before anything is written for the message; a refusal thrown here passes the message over and ends in NO. */
  prepare?(target: FetchTarget): void | Promise<void>
  /** A promise when octets must be read. */
  write(target: FetchTarget): void | Promise<void>
}

/** The row of an item that has a need. */
export function rowOf(target: FetchTarget): FetchedMessage {
  if (!target.row) throw new Error('the item has not said what it needs')
  return target.row
}
