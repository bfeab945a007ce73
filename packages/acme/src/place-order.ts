import { Agent } from 'node:https'
import acme from 'acme-client'
import type { OrderCertificate, Ordered, OrderOptions, Unproved } from './order.ts'

// What fails is tried again by the keeper, which says so in the log. The library would try by itself, without a word and
// for as long as the authority says, a day for one that is asked too often; and it has no text for what got no answer.
const { defaults, interceptors } = acme.axios
defaults.timeout = 60_000
interceptors.response.clear()
interceptors.response.use(null, (error: { response?: unknown }) => error.response ?? Promise.reject(error))

/**
 * A certificate from the authority (RFC 8555 §7.4), by the acme-client library. Loaded by `order.ts`.
 *
 * One name that cannot be proved makes its order invalid (RFC 8555 §7.1.6), so the others are ordered again without it; what
 * was proved is not asked for twice, where the authority remembers.
 */
export async function placeOrder(
  options: OrderOptions,
  ...[names, accountKey, isWorth]: Parameters<OrderCertificate>
): Promise<Ordered> {
  const { authority, contact, authorityCa } = options
  if (authorityCa !== undefined) acme.axios.defaults.httpsAgent = new Agent({ ca: authorityCa })
  const client = new acme.Client({ directoryUrl: authority, accountKey })
  await client.createAccount({ termsOfServiceAgreed: true, ...(contact !== '' && { contact: [`mailto:${contact}`] }) })
  const unproved: Unproved[] = []
  let left = [...new Set(names)]
  while (unproved.length === 0 || isWorth(left)) {
    const { order, failed } = await prove(client, left, options)
    if (!order || failed.length > 0) {
      const rest = left.filter((name) => !failed.some((each) => each.name === name))
      if (rest.length === left.length) throw new Error('the authority asks about names that were not ordered')
      unproved.push(...failed)
      left = rest
      continue
    }
    const [key, csr] = await acme.crypto.createCsr({ altNames: left }, await acme.crypto.createPrivateEcdsaKey())
    const cert = await client.getCertificate(await client.finalizeOrder(order, csr))
    return { issued: { cert, key: key.toString() }, unproved }
  }
  return { unproved }
}

interface Proved {
  /** Absent where the authority took none for these names. */
  order?: acme.Order
  failed: Unproved[]
}

async function prove(client: acme.Client, names: readonly string[], options: OrderOptions): Promise<Proved> {
  let order: acme.Order
  try {
    order = await client.createOrder({ identifiers: names.map((value) => ({ type: 'dns', value })) })
  } catch (error) {
    const why = (error as Error).message
    const failed = names.filter((name) => mentions(why, name)).map((name) => ({ name, why }))
    if (failed.length === 0) throw error
    return { failed }
  }
  const authorizations = await client.getAuthorizations(order)
  const failed = await Promise.all(
    authorizations.map((authorization) =>
      proveName(client, authorization, options).then(
        () => [],
        (error: Error) => [{ name: authorization.identifier.value, why: error.message }],
      ),
    ),
  )
  return { order, failed: failed.flat() }
}

/** An authority that refuses an order says for the sake of which names (RFC 8555 §6.7.1). */
function mentions(text: string, name: string): boolean {
  return text.split(/[^\w.-]+/).some((word) => word.replace(/\.$/, '').toLowerCase() === name)
}

async function proveName(
  client: acme.Client,
  authorization: acme.Authorization,
  { challenges, log }: OrderOptions,
): Promise<void> {
  if (authorization.status === 'valid') return
  const name = authorization.identifier.value
  try {
    const challenge = authorization.challenges.find(({ type }) => type === 'http-01')
    if (!challenge) throw new Error('the authority does not offer http-01')
    log.info({ name }, 'the certificate authority checks a name')
    await using _posted = await challenges.post(challenge.token, await client.getChallengeKeyAuthorization(challenge))
    // Not looked at by ourselves before: our name is reached from outside alone as often as not.
    await client.completeChallenge(challenge)
    await client.waitForValidStatus(challenge)
  } catch (error) {
    // Authorities count those that are left pending.
    await client.deactivateAuthorization(authorization).catch(() => {})
    throw error
  }
}
