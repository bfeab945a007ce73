/** What the checks of a message say of its reverse-path: whether telling it anything reaches who has sent the message. */
import { type FlowFact, lookupDomain, splitAddress } from '@pennypost/model'

/**
 * `unchecked`: mail of accounts, of neighbours and of our own. `known`: SPF passed, or DMARC for its domain. `forged`: its
 * domain says that the client may not use it. `unknown`: it may be anybody's.
 */
export type SenderStanding = 'unchecked' | 'known' | 'unknown' | 'forged'

type CheckFact = Extract<FlowFact, { kind: 'finding' }>

/** Reads it out of the facts of a journey. */
export function senderStanding(facts: readonly FlowFact[], reversePath: string): SenderStanding {
  const findingOf = (check: string) =>
    facts.find((fact) => fact.kind === 'finding' && fact.check === check) as CheckFact | undefined
  const spf = findingOf('spf')
  const dmarc = findingOf('dmarc')
  if (!spf && !dmarc) return 'unchecked'
  if (spf?.result === 'pass') return 'known'
  // DMARC speaks for the author, and anybody may put another's address into the envelope.
  const domain = lookupDomain(splitAddress(reversePath)?.domain ?? '')
  if (dmarc?.result === 'pass' && isOfOne(domain, dmarc.facts?.authorDomain)) return 'known'
  return spf?.result === 'fail' ? 'forged' : 'unknown'
}

function isOfOne(domain: string | undefined, other: unknown): boolean {
  if (domain === undefined || typeof other !== 'string' || other === '') return false
  return domain === other || domain.endsWith(`.${other}`) || other.endsWith(`.${domain}`)
}
