/**
 * The internet of the example: a DNS server on loopback that knows two mail domains, each with its server.
 * `node deploy/examples/two-servers/dns.ts` from the root of a checkout; Ctrl-C ends it.
 */
import { createZoneServer, zone } from '@pennypost/dns'
import { systemDeadline } from '@pennypost/model'

export const address = '127.0.0.1'
export const port = 5300

export const zones = [
  zone('one.test', [
    ['@', 'MX', '10 mail'],
    ['mail', 'A', '127.0.0.2'],
  ]),
  zone('two.test', [
    ['@', 'MX', '10 mail'],
    ['mail', 'A', '127.0.0.3'],
    // Nobody listens at the first of these two, so that mail for it shows how the second is tried.
    ['detour', 'MX', '5 nobody'],
    ['detour', 'MX', '10 mail'],
    ['nobody', 'A', '127.0.0.4'],
  ]),
]

if (import.meta.main) {
  const { server } = await createZoneServer({ zones, address, port, deadline: systemDeadline })
  console.log(`ready: one.test and two.test at ${server}`)
}
