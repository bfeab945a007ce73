import type { Account, Directory } from '@pennypost/model'
import { networks } from '@pennypost/reception'
import type { Relay, Routes } from '@pennypost/relay'
import type { Config } from '../config/schema.ts'

/**
 * Who may have the queue of which domain started by ETRN (RFC 1985): hosts that are not always there, by their network or
 * by the account that they log in with. What waits goes to the domain's own next hop, never to who asks.
 */
export function turning(
  rules: Config['relay']['turn'],
  parts: { directory: Pick<Directory, 'domain'>; routes: Routes; relay: Pick<Relay, 'forgive'> },
) {
  const known = rules.map(({ domain, clients, accounts }) => ({ domain, mayFrom: networks(clients), accounts }))
  return async (node: string, { address, account }: { address: string; account: Account | undefined }) => {
    const fits = known.some(
      ({ domain, mayFrom, accounts }) =>
        domain === node && (mayFrom(address) || (account !== undefined && accounts.includes(account.login))),
    )
    if (!fits) return undefined
    const found = await parts.directory.domain(node)
    const destinations = [parts.routes.destination(node, found?.kind === 'relay' ? found.target : undefined)]
    parts.relay.forgive(destinations)
    return destinations
  }
}
