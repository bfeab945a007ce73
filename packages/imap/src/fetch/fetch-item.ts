import { type FetchedMessage, type FetchNeed, StoreError } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import { placeOf } from '../view/lower-bound.ts'
import type { View } from '../view/view.ts'
import type { Output } from '../wire/output.ts'

/** One message as items are written for it. */
export class FetchTarget {
  readonly session: Session
  readonly view: View
  readonly out: Output
  seq = 0
  uid = 0
  /** Present when some item of the command needs more than flags. */
  row: FetchedMessage | undefined
  /** Expunged after its response had been begun: not all of it could be told. */
  isGone = false
  #index = -1
  /** `OpenMailbox.removals` as of that index. */
  #removals = 0

  constructor(session: Session, view: View) {
    this.session = session
    this.view = view
    this.out = session.out
  }

  /** Points it at a message; false when that is gone. */
  aim(uid: number, seq: number): boolean {
    const { open } = this.view
    const index = placeOf(open.uids, open.count, uid, this.#index + 1)
    if (index < 0) return false
    this.#index = index
    this.#removals = open.removals
    this.seq = seq
    this.uid = uid
    this.isGone = false
    return true
  }

  /**
   * Index in the arrays of `view.open` as they are now: while octets are waited for, others may expunge messages. -1 when
   * it is gone itself.
   */
  get openIndex(): number {
    const { open } = this.view
    if (this.#removals !== open.removals) {
      this.#removals = open.removals
      this.#index = open.indexOf(this.uid)
    }
    return this.#index
  }
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

/** Whether it says that the message was expunged since its row was read. */
export function saysGone(error: unknown): boolean {
  return error instanceof StoreError && error.reason === 'no-such-message'
}

/** Does something else when the message is gone, so that nothing was written. */
export function orWhenGone(written: void | Promise<void>, otherwise: () => void): void | Promise<void> {
  return written?.catch((error) => {
    if (!saysGone(error)) throw error
    otherwise()
  })
}

/** What is said in place of an item when the message is gone, and nothing was said of the item (RFC 2180 §4.1.3). */
export function orNil(target: FetchTarget, written: void | Promise<void>, nil: string): void | Promise<void> {
  return orWhenGone(written, () => {
    target.isGone = true
    target.out.text(nil)
  })
}
