/**
 * Hosts that are not always there: who may start or fetch the queue of which domain, by `[[relay.turn]]`.
 *
 * Who calls it: reception, for ETRN and ATRN.
 */
import type { Account, Directory, Log } from '@pennypost/model'
import { networks, type TurnRound } from '@pennypost/reception'
import type { Relay, Routes } from '@pennypost/relay'
import type { Config } from '../config/schema.ts'

type Rules = Config['relay']['turn']

interface Parts {
  directory: Pick<Directory, 'domain' | 'domains'>
  routes: Routes
  relay: Pick<Relay, 'forgive' | 'turnRound'>
  log: Log
}

/**
 * Who may have the queue of which domain started by ETRN (RFC 1985): hosts that are not always there, by their network or
 * by the account that they log in with. What waits goes to the domain's own next hop, never to who asks.
 */
export function turning(rules: Rules, parts: Parts) {
  const known = rules.map(({ domain, clients, accounts }) => ({ domain, mayFrom: networks(clients), accounts }))
  return async (node: string, { address, account }: { address: string; account: Account | undefined }) => {
    const fits = known.some(
      ({ domain, mayFrom, accounts }) =>
        domain === node && (mayFrom(address) || (account !== undefined && accounts.includes(account.login))),
    )
    if (!fits) return undefined
    const destinations = [await destinationOf(node, parts)]
    parts.relay.forgive(destinations)
    return destinations
  }
}

/**
 * Who may fetch the queue of which domain by ATRN (RFC 2645): accounts alone, since what waits goes to who asks. Domains
 * that share a next hop are fetched at once; of others, the first that has mail. Where mail of others goes to the same next
 * hop, nothing is handed over: the account would be given theirs too.
 */
export function fetching(rules: Rules, parts: Parts) {
  return async (account: Account, asked: readonly string[]): Promise<TurnRound> => {
    const own = rules.filter(({ accounts }) => accounts.includes(account.login)).map(({ domain }) => domain)
    if (own.length === 0 || !asked.every((domain) => own.includes(domain))) return 'refused'
    const destinations = new Set<string>()
    for (const domain of asked.length > 0 ? asked : own) destinations.add(await destinationOf(domain, parts))
    let answer: TurnRound = 'empty'
    for (const destination of destinations) {
      if (await takesOthers(destination, own, parts)) {
        parts.log.warn(
          { destination, account: account.login },
          'not handed over: the next hop takes mail of others too',
        )
        answer = 'refused'
        continue
      }
      const found = await parts.relay.turnRound(destination)
      if (typeof found === 'object') return found
      if (found === 'busy') answer = 'busy'
    }
    return answer
  }
}

async function takesOthers(
  destination: string,
  own: readonly string[],
  { directory, routes }: Parts,
): Promise<boolean> {
  if (routes.takesOthers(destination, own)) return true
  const others = (await directory.domains()).filter(({ name, kind }) => kind === 'relay' && !own.includes(name))
  return others.some(({ name, target }) => routes.destination(name, target) === destination)
}

async function destinationOf(domain: string, { directory, routes }: Parts): Promise<string> {
  const found = await directory.domain(domain)
  return routes.destination(domain, found?.kind === 'relay' ? found.target : undefined)
}
