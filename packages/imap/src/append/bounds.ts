import type { ReservedRoom } from '@pennypost/model'
import { type ImapRefusal, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'

/** What every message that is appended is refused by, whichever way it comes. */
export function tooBig(limit: number): ImapRefusal {
  return no('TOOBIG', `A message can have ${limit} octets`)
}

/** Refuses one more message in an APPEND that holds so much of those before it (RFC 3502 has no bound for how many). */
export function requireFewer({ service: { limits } }: Session, held: number): void {
  if (held > limits.appended) throw no('TOOBIG', 'These are too many messages for one command: append them in several')
}

/** Promises room for so many octets, 0 when nobody knows how many, or refuses. */
export function roomFor(session: Session, octets: number): ReservedRoom {
  const room = session.service.mail.reserve(octets)
  if (!room) throw no('UNAVAILABLE', 'The server is short of disk space, try again later')
  return room
}
