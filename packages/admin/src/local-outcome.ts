/** What becomes of a message that a local program hands in, for each of its recipients. Survives the admin socket. */
import type { JourneyId } from '@pennypost/model'
import { AdminError, type AdminRefusal } from './admin-error.ts'

export interface LocalOutcome {
  /** Absent: nobody has it. */
  journey?: JourneyId
  /** Who has it not; `unavailable`: may have it later. */
  refused: readonly RefusedRecipient[]
}

export interface RefusedRecipient {
  forwardPath: string
  reason: AdminRefusal
  text: string
}

/** Whom to try again, and who will never have it. */
export function laterOrNever(refused: readonly RefusedRecipient[]): {
  later: readonly RefusedRecipient[]
  never: readonly RefusedRecipient[]
} {
  const isLater = ({ reason }: RefusedRecipient): boolean => reason === 'unavailable'
  return { later: refused.filter(isLater), never: refused.filter((each) => !isLater(each)) }
}

/** What is said of recipients that are refused: a line for each answer, and the gravest reason. */
export function refusalOf(refused: readonly RefusedRecipient[]): AdminError {
  const { reason = 'not-found' } = refused.find(({ reason }) => reason !== 'not-found') ?? {}
  const lines = Map.groupBy(refused, ({ text }) => text)
    .entries()
    .map(([text, all]) => `Not taken for ${all.map(({ forwardPath }) => `<${forwardPath}>`).join(', ')}: ${text}`)
  return new AdminError(reason, [...lines].join('\n'))
}
