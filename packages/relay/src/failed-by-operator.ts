/**
 * The operator's `queue fail`: entries are made due and, when the runner has them, fail instead of being tried, with
 * their bounces in the same settlement as any other failure's. The event of the verb is its caller's to record.
 *
 * What must never break: what was held is not sent because it did not fail after all.
 */
import type { Clock, Queue, QueueEntryId } from '@pennypost/model'
import { reply } from '@pennypost/smtp'
import type { AttemptResult, Work } from './attempt-result.ts'
import type { Verdict } from './verdict.ts'

export interface FailOptions {
  queue: Pick<Queue, 'get' | 'hold' | 'release' | 'retryNow'>
  clock: Clock
}

interface Marked {
  failed: boolean
  /** Before it was let go, to be claimed. */
  wasHeld: boolean
  /** With whether the entry failed. */
  resolve: (failed: boolean) => void
}

export class FailedByOperator {
  readonly #options: FailOptions
  readonly #marked = new Map<QueueEntryId, Marked>()

  constructor(options: FailOptions) {
    this.#options = options
  }

  has(id: QueueEntryId): boolean {
    return this.#marked.has(id)
  }

  /** An attempt that was under way goes on; if it leaves something, that fails. */
  async fail(ids: readonly QueueEntryId[]): Promise<number> {
    const { queue, clock } = this.#options
    const known: QueueEntryId[] = []
    const held = new Set<QueueEntryId>()
    for (const id of new Set(ids)) {
      const entry = await queue.get(id)
      if (entry) known.push(id)
      if (entry?.held) held.add(id)
    }
    const failed = known.map((id) => new Promise<boolean>((resolve) => this.#mark(id, held.has(id), resolve)))
    try {
      await queue.release(known, clock.now())
      await queue.retryNow(known, clock.now())
    } catch (error) {
      // The verb says that it did not work: then nothing of it may happen later.
      await this.#failNone(known)
      throw error
    }
    return (await Promise.all(failed)).filter((each) => each).length
  }

  async attempt({ entry }: Work): Promise<AttemptResult> {
    const marked = this.#marked.get(entry.id)
    if (marked) marked.failed = true
    const verdicts = entry.recipients.map(({ index, lastReply }): [number, Verdict] => {
      const text = `Returned by the administrator${lastReply === '' ? '' : `; last reply: ${lastReply}`}`
      return [index, { outcome: 'failed', reply: reply(554, '5.7.0', text), host: null }]
    })
    return { verdicts: new Map(verdicts), flow: [] }
  }

  /**
   * The runner is done with an entry. One that was in work when it was marked comes again, if anything is left of it; one
   * of which something is left though it was failed (there was no room for its bounce) did not fail.
   */
  done(id: QueueEntryId, isOver: boolean): void {
    const marked = this.#marked.get(id)
    if (!marked) return
    if (marked.failed) void this.#resolve(id, isOver)
    else void this.#again(id)
  }

  /** The relay stops: what was not failed by now stays queued. */
  async giveUp(): Promise<void> {
    await this.#failNone([...this.#marked.keys()])
  }

  /** All at once, so that they share commits. */
  async #failNone(ids: readonly QueueEntryId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#resolve(id, false)))
  }

  #mark(id: QueueEntryId, wasHeld: boolean, resolve: (failed: boolean) => void): void {
    const before = this.#marked.get(id)
    before?.resolve(false)
    this.#marked.set(id, { failed: false, wasHeld: wasHeld || before?.wasHeld === true, resolve })
  }

  /** What was held and did not fail is held again. Never rejects. */
  async #resolve(id: QueueEntryId, failed: boolean): Promise<void> {
    const marked = this.#marked.get(id)
    if (!marked) return
    this.#marked.delete(id)
    try {
      if (marked.wasHeld && !failed) await this.#options.queue.hold([id])
    } catch {
      // The store has its own trouble and says so elsewhere.
    }
    marked.resolve(failed)
  }

  async #again(id: QueueEntryId): Promise<void> {
    const { queue, clock } = this.#options
    try {
      if (await queue.get(id)) await queue.retryNow([id], clock.now())
      else await this.#resolve(id, false)
    } catch {
      // The store has its own trouble and says so elsewhere; the verb says that the entry did not fail.
      await this.#resolve(id, false)
    }
  }
}
