/** What happened to a message, by the id that the server gave, or by its Message-ID. */
import { isJourneyId, type Journey, journeyId, type QueueEntry } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import { operation } from '../operation.ts'
import { entriesById } from '../queue-selection.ts'

const journeyLimit = 50

export const trace = operation({
  name: 'trace',
  kind: 'read',
  input: z.strictObject({
    /** Queue id, or Message-ID with or without angle brackets. */
    id: z.string().trim().min(1).max(998),
  }),
  async run(context, { id }) {
    const { flow } = context.store
    const ids = isJourneyId(id)
      ? [journeyId(id.toUpperCase())]
      : await flow.findByMessageId(id.replace(/^<|>$/g, ''), journeyLimit)
    const found: { journey: Journey; waiting: QueueEntry[] }[] = []
    for (const each of ids) {
      const journey = await flow.journey(each)
      if (journey) found.push({ journey, waiting: await entriesById(context, each) })
    }
    if (found.length === 0) {
      const advice =
        'The queue id stands in the server\'s "250 … queued as …", the Message-ID in the header of the message. ' +
        'Journeys are kept for as long as `[journeys] keep` says.'
      throw new AdminError('not-found', `No message with the id ${id} is known.`, advice)
    }
    return { now: context.clock.now(), journeys: found }
  },
})
