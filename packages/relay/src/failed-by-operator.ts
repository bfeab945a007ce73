/**
 * The operator's `queue fail`: entries are taken out of turn, as they are, and fail instead of being tried, with their
 * bounces in the same settlement as any other failure's. The event of the verb is its caller's to record.
 *
 * What must never break: what was held is not sent because it did not fail after all. It is never let go for this.
 */
import type { Clock, Queue, QueueEntryId } from '@pennypost/model'
import { reply } from '@pennypost/smtp'
import type { AttemptResult, Work } from './attempt-result.ts'
import type { RelayLimits } from './limits.ts'
import type { Runner } from './runner.ts'
import type { Verdict } from './verdict.ts'

export interface FailOptions {
  queue: Pick<Queue, 'get'>
  clock: Pick<Clock, 'after'>
  limits: Pick<RelayLimits, 'leaseMs'>
  workOutOfTurn: Runner['workOutOfTurn']
}

export class FailedByOperator {
  readonly #options: FailOptions
  /** Told of the end of attempts. */
  readonly #listeners = new Set<{ id: QueueEntryId; hear: () => void }>()
  #stopped = false

  constructor(options: FailOptions) {
    this.#options = options
  }

  /** How many failed. An attempt that was under way goes on; if it leaves something, that fails. */
  async fail(ids: readonly QueueEntryId[]): Promise<number> {
    const call = { isOver: false }
    try {
      const failed = await Promise.all([...new Set(ids)].map((id) => this.#fail(id, call)))
      return failed.filter((each) => each).length
    } finally {
      // If the verb says that it did not work, nothing of it may happen later.
      call.isOver = true
    }
  }

  /** An attempt at the entry has ended. */
  done(id: QueueEntryId): void {
    for (const listener of this.#listeners) if (listener.id === id) listener.hear()
  }

  /** The relay stops: what was not failed by now stays queued, as it is. */
  giveUp(): void {
    this.#stopped = true
    for (const { hear } of this.#listeners) hear()
  }

  /** One of which something is left though it was failed (there was no room for its bounce) did not fail. */
  async #fail(id: QueueEntryId, call: { isOver: boolean }): Promise<boolean> {
    const { queue, workOutOfTurn } = this.#options
    while (!call.isOver && !this.#stopped) {
      // From before the claim: the attempt that keeps the entry from us may end in the meantime.
      using underWay = this.#listen(id)
      const isOver = await workOutOfTurn(id, returned)
      if (isOver !== undefined) return isOver
      if (!(await queue.get(id))) return false
      await underWay.ended
    }
    return false
  }

  /** `ended` when an attempt at the entry has ended, or the lease of one that could not be concluded. */
  #listen(id: QueueEntryId): Disposable & { ended: Promise<void> } {
    const { promise: ended, resolve: hear } = Promise.withResolvers<void>()
    const listener = { id, hear }
    this.#listeners.add(listener)
    const timer = this.#options.clock.after(this.#options.limits.leaseMs, hear)
    return {
      ended,
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener)
        timer[Symbol.dispose]()
      },
    }
  }
}

async function returned({ entry }: Work): Promise<AttemptResult> {
  const verdicts = entry.recipients.map(({ index, lastReply }): [number, Verdict] => {
    const text = `Returned by the administrator${lastReply === '' ? '' : `; last reply: ${lastReply}`}`
    return [index, { outcome: 'failed', reply: reply(554, '5.7.0', text), host: null, byOperator: true }]
  })
  return { verdicts: new Map(verdicts), flow: [] }
}
