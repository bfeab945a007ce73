/**
 * What was found about a message when it came. Of a letter with thousands of entries it is read once and not for each of
 * them: its journey has a line for every one.
 * Who calls it: local attempts, and DSNs about forwards.
 */
import { type SenderStanding, senderStanding } from '@pennypost/mda'
import type { Flow, JourneyId } from '@pennypost/model'
import { dropOldest } from './drop-oldest.ts'

export interface Arrival {
  sender: SenderStanding
  isQuarantined: boolean
}

const mostKept = 1000

export class Arrivals {
  readonly #flow: Pick<Flow, 'journey'>
  readonly #kept = new Map<JourneyId, Promise<Arrival>>()

  constructor(flow: Pick<Flow, 'journey'>) {
    this.#flow = flow
  }

  of(journey: JourneyId): Promise<Arrival> {
    const known = this.#kept.get(journey)
    if (known) return known
    const forget = (): void => void this.#kept.delete(journey)
    const arrival = this.#read(journey, forget)
    this.#kept.set(journey, arrival)
    arrival.catch(forget)
    dropOldest(this.#kept, mostKept)
    return arrival
  }

  async #read(journey: JourneyId, forget: () => void): Promise<Arrival> {
    const events = (await this.#flow.journey(journey))?.events ?? []
    // It is being accepted: more may be found.
    const received = events.find((event) => event.kind === 'received')
    if (!received) forget()
    const judged = events.findLast((event) => event.kind === 'verdict')
    return {
      sender: senderStanding(events, received?.kind === 'received' ? received.reversePath : ''),
      isQuarantined: judged?.kind === 'verdict' && judged.verdict === 'quarantine',
    }
  }
}
