/** MailStore, first part: how mail comes in. A refused job leaves no content behind; an unclear one leaves it to the sweep. */
import { rm } from 'node:fs/promises'
import {
  type Accepted,
  type AccountId,
  type MailboxId,
  type MailStore,
  type ModSeq,
  type StagedContent,
  UidSet,
  type UidValidity,
} from '@pennypost/model'
import { createStage } from '../content/stage.ts'
import type { Engine } from '../engine.ts'
import { type Packing, packAcceptances, packAppends } from '../pack.ts'
import type { Reader } from '../reader/reader.ts'

export type Arrival = Pick<MailStore, 'reserve' | 'stage' | 'accept' | 'unconfirm' | 'append' | 'replace'>

/** How mail comes in: content is staged, then one job makes it mail. */
export function createArrival(engine: Engine): Arrival {
  const { reader, writer, clock, pins, search } = engine
  return {
    reserve: (octets) => engine.room.reserve(octets),
    stage(room) {
      engine.reader.requireOpen()
      return createStage(engine, room)
    },
    accept(acceptances) {
      const contents = acceptances.map(({ message }) => message.content)
      return consuming(engine, contents, async (packing) => {
        const packed = packAcceptances(acceptances, clock.now(), packing)
        packing.rooms[0]?.store(packing.octets)
        return (await writer.run('accept', packed, packing)) as unknown as Accepted[]
      })
    },
    async unconfirm(journey, now) {
      await writer.run('unconfirm', { journey, now })
    },
    append(mailbox, messages, acting) {
      const contents = messages.map(({ message }) => message.content)
      return consuming(engine, contents, async (packing) => {
        const args = { mailbox, now: clock.now(), messages: packAppends(messages, packing), acting }
        packing.rooms[0]?.store(packing.octets)
        // What its owner, or who moves in, puts there is searched by the same clients.
        search.opened(ownerOf(reader, mailbox))
        const { uidValidity, firstUid } = await writer.run('append', args, packing)
        const last = firstUid + messages.length - 1
        const uids = messages.length === 0 ? UidSet.empty : UidSet.ofRanges([[firstUid, last]])
        return { uidValidity: uidValidity as UidValidity, uids }
      })
    },
    replace(from, gone, to, message, acting) {
      return consuming(engine, [message.message.content], async (packing) => {
        const messages = packAppends([message], packing)
        packing.rooms[0]?.store(packing.octets)
        const args = { from, gone, mailbox: to, now: clock.now(), messages, acting }
        const done = await pins.removing(from, (pinned) => writer.run('replace', { ...args, pinned }, packing))
        return {
          appended: { uidValidity: done.uidValidity as UidValidity, uids: UidSet.of(done.firstUid) },
          expunged: { uids: UidSet.of(gone), modSeq: done.modSeq as ModSeq },
        }
      })
    },
  }
}

function ownerOf(reader: Reader, mailbox: MailboxId): AccountId | undefined {
  return reader.pluck('SELECT account FROM mailboxes WHERE id = ?').get(mailbox) as AccountId | undefined
}

/** Runs a job that takes contents over; when it is refused, they go. */
export async function consuming<Result>(
  { writer, files }: Engine,
  contents: readonly StagedContent[],
  run: (packing: Packing) => Promise<Result>,
): Promise<Result> {
  const packing: Packing = { octets: 0, transfer: [], files: [], rooms: [] }
  try {
    const result = await run(packing)
    for (const room of packing.rooms) room.stored()
    return result
  } catch (error) {
    // A commit whose sync failed may be found in the log after a restart: then its files are needed. The sweep at the
    // next start knows.
    if (!writer.hasFailed) for (const file of packing.files) await rm(files.path(file), { force: true })
    for (const content of contents) await content.discard()
    throw error
  } finally {
    for (const room of packing.rooms) room[Symbol.dispose]()
  }
}
