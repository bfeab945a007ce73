/** The checks of the MX for dialogues: a small DNS that a dialogue fills, and a policy that it sets. */
import { createStaticResolver, zone } from '@pennypost/dns'
import { createChecker, type DnsList, defaultPolicy } from '@pennypost/message-auth'
import { type Clock, type DnsType, silentLog, systemDeadline } from '@pennypost/model'
import { defaultBudget, defaultGreylist, type InboundChecks } from '@pennypost/reception'

export interface CheckedMail extends AsyncDisposable {
  readonly checks: InboundChecks
  /** `@record NAME TYPE DATA…`; `@broken NAME` makes questions about it fail. */
  record(name: string, type: string, data: string): void
  breakZone(name: string): void
  /** `@check KEY VALUE`: an entry of the policy, `exempt`, `greylist`, a rate, or a list to ask. */
  set(key: string, value: string): void
}

export function openCheckedMail(clock: Clock, hostname: string): CheckedMail {
  const resolver = createStaticResolver([zone('test', []), zone('arpa', [])])
  const lists: DnsList[] = []
  const checker = createChecker({ resolver, clock, deadline: systemDeadline, log: silentLog, hostname, lists })
  const rates = { sender: 0, recipient: 0, network: 0 }
  const checks: InboundChecks & { exempt: string[] } = {
    checker,
    policy: { ...defaultPolicy },
    exempt: [] as string[],
    ownAddresses: [],
    ...defaultBudget,
  }
  const records = new Map<string, string[]>()
  return {
    checks,
    record(name, type, data) {
      const absolute = /^(PTR|MX|CNAME)$/.test(type) ? `${data}.` : data
      const all = [...(records.get(`${name} ${type}`) ?? []), absolute]
      records.set(`${name} ${type}`, all)
      resolver.zones.set(name, type as DnsType, all)
    },
    breakZone: (name) => resolver.zones.fault(name, { kind: 'servfail' }),
    set(key, value) {
      if (key === 'exempt') checks.exempt = value.split(',')
      else if (key === 'greylist') checks.greylist = defaultGreylist
      else if (key in rates) checks.rates = Object.assign(rates, { [key]: Number(value) })
      else if (key === 'ask-dnsbl' || key === 'ask-dnswl') {
        lists.push({ zone: value, kind: key === 'ask-dnsbl' ? 'dnsbl' : 'dnswl' })
      } else if (key in checks.policy) Object.assign(checks.policy, { [key]: value })
      else throw new Error(`no such policy: ${key}`)
    },
    [Symbol.asyncDispose]: () => checker[Symbol.asyncDispose](),
  }
}
