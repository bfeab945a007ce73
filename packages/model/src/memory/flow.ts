/** Journeys: events by journey, in the order of recording. */
import type { JourneyId } from '../ids.ts'
import type { Flow, FlowEvent } from '../ports/flow.ts'
import { commit, compareText, requireOpen, type State } from './state.ts'

export function createFlow(state: State): Flow {
  return {
    async record(events) {
      commit(state, () => recordEvents(state, events))
    },
    async journey(id) {
      requireOpen(state)
      const events = state.journeys.get(id)
      return events && { id, events: [...events] }
    },
    async findByMessageId(messageId, limit) {
      requireOpen(state)
      const bears = (event: FlowEvent) => event.kind === 'received' && event.messageId === messageId
      return newestFirst(state)
        .filter((id) => eventsOf(state, id).some(bears))
        .slice(0, limit)
    },
    async recent(limit) {
      requireOpen(state)
      return newestFirst(state).slice(0, limit)
    },
    async prune(before, transcriptsBefore) {
      return commit(state, () => {
        let dropped = 0
        for (const [id, events] of state.journeys) {
          if (began(state, id) < before) {
            state.journeys.delete(id)
            dropped++
          } else
            state.journeys.set(
              id,
              events.map((event) => withoutTranscript(event, transcriptsBefore)),
            )
        }
        return dropped
      })
    },
  }
}

export function recordEvents(state: State, events: readonly FlowEvent[]): void {
  for (const event of events) {
    const journey = state.journeys.get(event.journey)
    if (journey) journey.push(event)
    else state.journeys.set(event.journey, [event])
  }
}

function eventsOf(state: State, id: JourneyId): FlowEvent[] {
  return state.journeys.get(id) ?? []
}

function began(state: State, id: JourneyId): number {
  return eventsOf(state, id)[0]?.at ?? 0
}

/** By the time of the first event; of equals the greater id is the newer. */
function newestFirst(state: State): JourneyId[] {
  return [...state.journeys.keys()].sort((a, b) => began(state, b) - began(state, a) || compareText(b, a))
}

function withoutTranscript(event: FlowEvent, before: number): FlowEvent {
  if (event.kind !== 'attempt' || event.at >= before) return event
  const { transcript: _, ...rest } = event
  return rest
}
