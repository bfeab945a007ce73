import { type CheckerOptions, createChecker } from '@pennypost/message-auth'
import { type ContentFilter, defaultBudget, defaultGreylist, type InboundChecks } from '@pennypost/reception'
import { dnsListsOf, policyOf } from '../config/policy.ts'
import type { Config } from '../config/schema.ts'
import { checksWorker } from './workers.ts'

/** What the MX checks of strangers' mail, as the configuration has it. Disposing ends the worker behind it. */
export function openInboundChecks(
  config: Config,
  parts: Pick<CheckerOptions, 'resolver' | 'clock' | 'deadline' | 'log'>,
  filters: readonly ContentFilter[],
): { checks: InboundChecks } & AsyncDisposable {
  const checker = createChecker({ ...parts, hostname: config.hostname, lists: dnsListsOf(config), ...checksWorker })
  return {
    checks: {
      checker,
      policy: policyOf(config),
      filters,
      exempt: config.policy.exempt,
      ownAddresses: config.relay.own_addresses,
      ...(config.policy.greylist
        ? {
            greylist: {
              ...defaultGreylist,
              delayMs: config.policy.greylist_delay,
              keepMs: config.policy.greylist_keep,
            },
          }
        : {}),
      ...ratesOf(config),
      ...defaultBudget,
    },
    [Symbol.asyncDispose]: () => checker[Symbol.asyncDispose](),
  }
}

/** Nothing is counted where nothing is limited. */
function ratesOf({ policy }: Config): Pick<InboundChecks, 'rates'> {
  const { sender_rate: sender, recipient_rate: recipient, network_rate: network } = policy
  return sender + recipient + network > 0 ? { rates: { sender, recipient, network } } : {}
}
