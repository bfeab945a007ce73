/** What happened to a message, by the id that the server gave, or by its Message-ID. */
import { isJourneyId, type Journey, journeyId, type QueueEntry } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
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
    const journeys = await findJourneys(context, id)
    const found: { journey: Journey; waiting: QueueEntry[] }[] = []
    for (const journey of journeys) found.push({ journey, waiting: await entriesById(context, journey.id) })
    return { now: context.clock.now(), journeys: found }
  },
})

/** Journeys by queue id or Message-ID, newest first. @throws AdminError when there is none. */
export async function findJourneys({ store: { flow } }: AdminContext, id: string): Promise<Journey[]> {
  const ids = isJourneyId(id)
    ? [journeyId(id.toUpperCase())]
    : await flow.findByMessageId(id.replace(/^<|>$/g, ''), journeyLimit)
  const journeys = await Promise.all(ids.map((each) => flow.journey(each)))
  const found = journeys.filter((journey) => journey !== undefined)
  if (found.length > 0) return found
  const advice =
    'The queue id stands in the server\'s "250 … queued as …" and in its Received line, the Message-ID in the header of ' +
    'the message. ' +
    'Journeys are kept for as long as `[journeys] keep` says.'
  throw new AdminError('not-found', `No message with the id ${id} is known.`, advice)
}
