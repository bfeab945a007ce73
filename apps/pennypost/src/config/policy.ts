import type { DnsList, Policy } from '@pennypost/message-auth'
import type { Config } from './schema.ts'

/** What the judge is told by the configuration. The server and `pennypost explain` read it the same way. */
export function policyOf({ policy }: Config): Policy {
  return {
    dnsbl: policy.dnsbl_action,
    reverseDns: policy.reverse_dns,
    dmarc: policy.dmarc,
    dmarcUnsettled: policy.dmarc_unsettled,
    author: policy.author,
    spf: policy.spf,
    helo: policy.helo,
    virus: policy.virus,
    spam: policy.spam,
    filterUnavailable: policy.filter_unavailable,
  }
}

/** The DNS lists that are asked about a client's address. */
export function dnsListsOf({ policy }: Config): DnsList[] {
  return (['dnsbl', 'dnswl'] as const).flatMap((kind) =>
    policy[kind].map(({ zone, answers }) => ({
      kind,
      zone,
      ...(answers.length > 0 ? { codes: answers.map(patternOf) } : {}),
    })),
  )
}

/** `127.0.0.2-11` as an expression over whole addresses. */
function patternOf(answer: string): RegExp {
  const [, head = '', first = '', last = first] = /^(.*\.)(\d+)(?:-(\d+))?$/.exec(answer) ?? []
  const octets: number[] = []
  for (let octet = Number(first); octet <= Math.min(Number(last), 255); octet++) octets.push(octet)
  return new RegExp(`${head.replaceAll('.', '\\.')}(?:${octets.join('|')})`)
}
