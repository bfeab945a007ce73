import type { Finding } from './findings/finding.ts'
import { Findings, type Outcome, type Row, strictness, table } from './judge-table.ts'

/**
 * The judge: findings and policy in, one verdict out. It is a table (`judge-table.ts`) of which the strictest row that
 * applies decides. It asks nobody and remembers nothing, so that a stored set of findings can be judged again, with one fact
 * changed or under another policy.
 *
 * What it must never break: SPF alone rejects nobody, and neither does anything temporary or `unavailable`.
 *
 * Who calls it: reception, after the checks; `pennypost explain`.
 */

/** Why, out of a closed list: for the journey, the header and the statistics. */
export type Reason =
  /** A blocking list has the client's address, and no allowing list has. */
  | 'dnsbl'
  /** The client's address has no name that leads back to it. */
  | 'reverse-dns'
  /** No author domain, or several: nobody could be asked for a policy (RFC 9989 §11.5). */
  | 'author'
  /** DMARC failed, and this is what the author domain asks for. */
  | 'dmarc-reject'
  | 'dmarc-quarantine'
  /** DMARC could not be settled, and the policy is to wait. */
  | 'dmarc-unsettled'
  /** SPF failed where no DMARC pass makes up for it. */
  | 'spf'
  /** The client calls itself by our name. */
  | 'helo'
  /** A sender, a recipient or a network has had enough for an hour. */
  | 'rate'
  /** The origin is not known yet and has not waited. */
  | 'greylist'
  /** A scanner found something, a spam filter or the postmaster's hook has said so. */
  | 'virus'
  | 'spam'
  | 'hook'
  /** A filter did not answer, and the policy is to wait for it. */
  | 'filter-unavailable'
  /** Nothing spoke against it. */
  | 'clean'

export type Action = 'accept' | 'quarantine' | 'defer' | 'reject'

export interface Policy {
  /** What being on a blocking list leads to. */
  dnsbl: 'accept' | 'quarantine' | 'reject'
  /** What the lack of a confirmed name leads to. */
  reverseDns: 'accept' | 'quarantine' | 'reject'
  /** `enforce`: as the author domain asks; `quarantine`: its reject only quarantines; `accept`: recorded only. */
  dmarc: 'accept' | 'quarantine' | 'enforce'
  /** When DNS leaves DMARC open for a domain. */
  dmarcUnsettled: 'accept' | 'defer'
  /** What a message without one author domain leads to. */
  author: 'accept' | 'quarantine' | 'reject'
  /** SPF never rejects (RFC 7208 §8.4 leaves it to us; forwarding breaks it). */
  spf: 'accept' | 'quarantine'
  /** What a client leads to that gives itself our name. */
  helo: 'accept' | 'quarantine' | 'reject'
  virus: 'accept' | 'quarantine' | 'reject'
  /** `enforce`: as the filter says; `quarantine`: its reject only quarantines; `accept`: recorded only. */
  spam: 'accept' | 'quarantine' | 'enforce'
  /** When a filter does not answer. */
  filterUnavailable: 'accept' | 'defer'
}

export const defaultPolicy: Policy = {
  dnsbl: 'reject',
  reverseDns: 'accept',
  dmarc: 'enforce',
  dmarcUnsettled: 'accept',
  author: 'quarantine',
  spf: 'accept',
  helo: 'reject',
  virus: 'reject',
  spam: 'enforce',
  filterUnavailable: 'accept',
}

export interface Verdict {
  action: Action
  reason: Reason
  /** For the journey: the finding's own words. */
  detail: string
  /** With `defer` and `reject`: what the client is told. */
  reply?: { code: number; enhanced: string; lines: readonly [string] }
}

/** The strictest action decides; of equals the upper row. */
export function judge(findings: readonly Finding[], policy: Policy = defaultPolicy): Verdict {
  const byCheck = new Findings(findings)
  let decided: { row: Row; found: Outcome } | undefined
  for (const row of table) {
    const found = row.applies(byCheck, policy)
    if (!found || found.action === 'accept') continue
    if (decided && strictness.indexOf(found.action) <= strictness.indexOf(decided.found.action)) continue
    decided = { row, found }
  }
  if (!decided) return { action: 'accept', reason: 'clean', detail: 'nothing speaks against it' }
  const { reason, enhanced, deferCode = 451 } = decided.row
  const { action, detail, text = detail } = decided.found
  if (action !== 'reject' && action !== 'defer') return { action, reason, detail }
  const lines = [text.charAt(0).toUpperCase() + text.slice(1)] as const
  const reply =
    action === 'reject'
      ? { code: 550, enhanced, lines }
      : { code: deferCode, enhanced: enhanced.replace(/^5/, '4'), lines }
  return { action, reason, detail, reply }
}

const aboutClients: readonly string[] = ['reverse-dns', 'dnsbl', 'dnswl', 'helo', 'rate', 'greylist']

/** Findings without those about the client, which mail to postmaster and abuse alone is not judged by. */
export function aboutContent(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ check }) => !aboutClients.includes(check))
}

/** Whether what SPF, DKIM and DMARC find can lead to anything under the policy; if not, nobody waits long for it. */
export function isAuthenticationDecisive({ dmarc, dmarcUnsettled, spf }: Policy): boolean {
  return dmarc !== 'accept' || dmarcUnsettled !== 'accept' || spf !== 'accept'
}
