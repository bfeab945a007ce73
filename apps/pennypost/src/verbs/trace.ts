import type { Command } from 'commander'
import { journeyLines } from './journey-lines.ts'
import type { Session } from './session.ts'
import { formatDuration } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `trace QUEUE-ID | MESSAGE-ID`. */
export function register(program: Command): void {
  addVerb(program, 'trace <id>', 'the way of a message, hop by hop: by queue id or Message-ID')
    .option('--transcripts', 'with the lines of each SMTP session', false)
    .action(inSession(trace))
}

async function trace(session: Session, id: string, options: { transcripts: boolean }): Promise<void> {
  const result = await session.call('trace', { id })
  session.show(result, () =>
    result.journeys
      .map(({ journey, waiting }) => {
        const rest = waiting.map(({ destination, dueAt, held, recipients }) => {
          const next = held
            ? 'held'
            : dueAt <= result.now
              ? 'due now'
              : `next attempt in ${formatDuration(dueAt - result.now)}`
          return `still waits for ${destination}: ${recipients.map(({ forwardPath }) => forwardPath).join(', ')}; ${next}\n`
        })
        return `${journey.id}\n${journeyLines(journey.events, options)}${rest.join('')}`
      })
      .join('\n'),
  )
}
