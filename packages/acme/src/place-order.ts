import { Agent } from 'node:https'
import acme from 'acme-client'
import type { OrderCertificate, OrderOptions } from './order.ts'

/** One order at the authority (RFC 8555 §7.4), by the acme-client library. Loaded by `order.ts`. */
export async function placeOrder(
  { authority, contact, challenges, authorityCa, log }: OrderOptions,
  ...[names, known]: Parameters<OrderCertificate>
): ReturnType<OrderCertificate> {
  if (authorityCa !== undefined) acme.axios.defaults.httpsAgent = new Agent({ ca: authorityCa })
  const accountKey = known ?? (await acme.crypto.createPrivateEcdsaKey()).toString()
  const client = new acme.Client({ directoryUrl: authority, accountKey })
  const [key, csr] = await acme.crypto.createCsr({ altNames: [...names] }, await acme.crypto.createPrivateEcdsaKey())
  const posted = new Map<string, AsyncDisposable>()
  const cert = await client.auto({
    csr,
    ...(contact !== '' && { email: contact }),
    termsOfServiceAgreed: true,
    challengePriority: ['http-01'],
    // Our name is reached from outside alone as often as not.
    skipChallengeVerification: true,
    async challengeCreateFn({ identifier }, { type, token }, keyAuthorization) {
      if (type !== 'http-01') throw new Error(`the authority does not offer http-01 for ${identifier.value}`)
      log.info({ name: identifier.value }, 'the certificate authority checks a name')
      posted.set(token, await challenges.post(token, keyAuthorization))
    },
    challengeRemoveFn: async (_, { token }) => posted.get(token)?.[Symbol.asyncDispose](),
  })
  return { cert, key: key.toString(), accountKey }
}
