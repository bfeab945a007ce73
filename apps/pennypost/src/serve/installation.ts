import { networkInterfaces } from 'node:os'
import type { ClientService, Installation } from '@pennypost/admin'
import { lookupDomain } from '@pennypost/model'
import { printStsPolicy } from '@pennypost/relay/sts-policy'
import { dkimDirectory, type Place } from '../config/place.ts'
import { policyOf } from '../config/policy.ts'
import type { Config } from '../config/schema.ts'

/** What operations are told of the configuration, in the running server and in verbs alike. */
export function installationOf(config: Config, place: Place): Installation {
  return {
    hostname: lookupDomain(config.hostname) as string,
    administrator: config.admin.address,
    policy: policyOf(config),
    dkimDirectory: dkimDirectory(place),
    publicAddresses: config.relay.own_addresses.length > 0 ? config.relay.own_addresses : publicAddresses(),
    clientServices: clientServices(config),
    mtaSts: { mode: config.mta_sts.mode, text: ownStsPolicy(config) },
  }
}

/** What the site says to those who ask how to bring mail (RFC 8461). */
export function ownStsPolicy({ mta_sts: { mode, mx, max_age }, hostname }: Config): string {
  const hosts = (mx.length > 0 ? mx : [hostname]).map((name) => name.toLowerCase())
  return printStsPolicy({ mode, mx: hosts, maxAgeSeconds: Math.round(max_age / 1000) })
}

const forClients: readonly ClientService[] = ['submissions', 'imaps', 'pop3s', 'submission', 'imap', 'pop3']

function clientServices({ listener }: Config): Installation['clientServices'] {
  return forClients.flatMap((service) => {
    const port = listener.find((each) => each.service === service)?.port
    return port ? [{ service, port }] : []
  })
}

/** Addresses of this machine that are not private, link-local or loopback. */
export function publicAddresses(): string[] {
  const notPublic =
    /^(10|127|0)\.|^169\.254\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^(::1$|f[cd]|fe[89ab])/i
  return Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ internal, address }) => !internal && !notPublic.test(address))
    .map(({ address }) => address)
}
