/** MailStore, third part: what sessions do in an open mailbox. Reads are on the main thread, changes go to the writer. */
import {
  type Copied,
  highestUid,
  type MailStore,
  type ModSeq,
  type Uid,
  UidSet,
  type UidValidity,
} from '@pennypost/model'
import { boundsOf, uidsOf } from '../bounds.ts'
import type { Engine } from '../engine.ts'
import { readBody } from '../reader/bodies.ts'
import { goneChanges, readChanges, readSnapshot } from '../reader/changes.ts'
import { fetchPages, readMessage } from '../reader/fetch.ts'
import { readMailbox, requireMailbox } from '../reader/mailboxes.ts'
import { searchMailbox } from '../reader/search.ts'
import { readRights } from '../reader/sharing.ts'
import { isForeign, viewChanges, viewSnapshot } from '../reader/viewers.ts'
import type { Arrival } from './arrival.ts'
import type { Mailboxes } from './mailboxes.ts'

type Messages = Omit<MailStore, keyof Arrival | keyof Mailboxes>

/** Verbs on an open mailbox and its messages. Large ones go to the writer in steps, each whole by itself. */
export function createMessages(engine: Engine): Messages {
  return { ...createOpenMailbox(engine), ...createChanging(engine), ...createReading(engine) }
}

function createOpenMailbox(
  engine: Engine,
): Pick<Messages, 'snapshot' | 'changesSince' | 'claimRecent' | 'watch' | 'pin'> {
  const { reader, writer, pins, watchers, search } = engine
  return {
    async snapshot(mailbox, viewer) {
      await pins.settled(mailbox)
      return viewSnapshot(reader, await readSnapshot(reader, mailbox), viewer)
    },
    async changesSince(mailbox, since, viewer) {
      const changes = await readChanges(reader, mailbox, since)
      const found = viewer === undefined || changes.deleted ? undefined : readMailbox(reader, mailbox)
      if (!found || !isForeign(found, viewer)) return changes
      if (!readRights(reader, mailbox, viewer).includes('r')) return goneChanges(since)
      return viewChanges(reader, found, changes, since, viewer)
    },
    async claimRecent(mailbox) {
      return (await writer.run('claimRecent', mailbox)) as Uid
    },
    watch(account, onWake) {
      reader.requireOpen()
      // Who looks into a mailbox may search it next.
      search.opened(account)
      return watchers.watchAccount(account, onWake)
    },
    pin(mailbox) {
      return pins.pin(mailbox, requireMailbox(reader, mailbox).highestModSeq)
    },
  }
}

function createChanging(engine: Engine): Pick<Messages, 'updateFlags' | 'copy' | 'move' | 'expunge'> {
  const { reader, writer, clock, pins, limits, room } = engine
  return {
    async updateFlags(mailbox, { uids, mode, flags, unchangedSince = null }, acting) {
      const modified: number[] = []
      const steps: { last: number; modSeq: ModSeq }[] = []
      let since: number | undefined
      const job = { mailbox, mode, flags, unchangedSince, limit: limits.flagsPerJob, acting }
      const { modSeq } = await inSteps(uids, async (bounds, next) => {
        const done = goingOn(await writer.run('updateFlags', { ...job, bounds }), next)
        for (const bound of done.modified) modified.push(bound)
        since = since === undefined || done.since === steps.at(-1)?.modSeq ? (since ?? done.since) : 0
        steps.push({ last: done.resumeAt === 0 ? highestUid : done.resumeAt - 1, modSeq: done.modSeq as ModSeq })
        return done
      })
      return { modSeq: modSeq as ModSeq, since: (since ?? 0) as ModSeq, steps, modified: uidsOf(modified) }
    },
    async copy(from, uids, to, acting, count = 0) {
      const atMost = Math.min(uids.size, readMailbox(reader, from)?.messages ?? 0)
      using promised = room.open()
      promised.store(atMost * copyOctets)
      const done = await writer.run('copy', { from, bounds: boundsOf(uids), to, now: clock.now(), acting, count })
      promised.stored()
      return copied([done])
    },
    async move(from, uids, to, acting) {
      const steps: CopiedStep[] = []
      try {
        await pins.removing(from, (pinned) =>
          inSteps(uids, async (bounds, next) => {
            const args = { from, bounds, to, now: clock.now(), pinned, limit: limits.messagesPerJob, acting }
            const done = goingOn(await writer.run('move', args), next)
            steps.push(done)
            return done
          }),
        )
      } catch (failure) {
        const moved = copied(steps)
        if (moved.source.isEmpty) throw failure
        return { ...moved, failure }
      }
      return copied(steps)
    },
    async expunge(mailbox, uids, only) {
      const gone: number[] = []
      const last = await pins.removing(mailbox, (pinned) =>
        inSteps(uids, async (bounds, next) => {
          const args = { mailbox, bounds, only, pinned, limit: limits.messagesPerJob }
          const done = goingOn(await writer.run('expunge', args), next)
          gone.push(...done.bounds)
          return done
        }),
      )
      return { uids: uidsOf(gone), modSeq: last.modSeq as ModSeq }
    },
  }
}

function createReading(engine: Engine): Pick<Messages, 'fetch' | 'readBody' | 'message' | 'search'> {
  const { reader, files, pins, search } = engine
  return {
    fetch: (mailbox, uids, need, signal) => fetchPages(reader, mailbox, uids, need, () => pins.since(mailbox), signal),
    async *readBody(message, start = 0, end) {
      await pins.released()
      yield* readBody(reader, files, message, start, end)
    },
    async message(id) {
      await pins.released()
      return readMessage(reader, id)
    },
    async search(mailbox, query, within, signal) {
      signal?.throwIfAborted()
      return searchMailbox(reader, { mailbox, query, within, signal }, ({ mailbox, query, within, signal }) =>
        search.search(mailbox, query, within, signal),
      )
    },
  }
}

/** What the rows of one copy take. Octets. */
const copyOctets = 512

/** Ranges of UIDs that one job is given: what a step costs must not depend on how many steps there are. */
const rangesPerStep = 1000

/**
 * Runs a job on UIDs until it is through with all of them; gives its last answer. A step gets bounds, and the UID behind
 * them to go on from, 0 when there is none.
 */
async function inSteps<Done extends { resumeAt: number }>(
  uids: UidSet,
  step: (bounds: number[], next: number) => Promise<Done>,
): Promise<Done> {
  const all = boundsOf(uids)
  for (let at = 0; ; ) {
    const end = at + 2 * rangesPerStep
    const done = await step(all.slice(at, end), all[end] ?? 0)
    if (done.resumeAt === 0) return done
    while ((all[at + 1] as number) < done.resumeAt) at += 2
    all[at] = Math.max(all[at] as number, done.resumeAt)
  }
}

/** A job that is through with its bounds goes on from `next`. */
function goingOn<Done extends { resumeAt: number }>(done: Done, next: number): Done {
  return done.resumeAt === 0 ? { ...done, resumeAt: next } : done
}

interface CopiedStep {
  uidValidity: number
  source: number[]
  target: number[]
}

function copied(steps: readonly CopiedStep[]): Copied {
  return {
    uidValidity: (steps[0]?.uidValidity ?? 0) as UidValidity,
    source: UidSet.ofSorted(steps.flatMap((step) => step.source)),
    target: steps.flatMap((step) => step.target) as Uid[],
  }
}
