import { addressesOf, type Directory, type Resolver } from '@pennypost/model'
import type { Config } from '../config/schema.ts'
import { wantedListeners } from '../config/wanted-listeners.ts'

/**
 * Which names the certificate of an authority is for, where `[tls.acme] names` does not say: the host name, and those
 * under which strangers ask the https listener about a domain. Only names that the DNS leads to this host: for
 * others the authority would be asked in vain.
 */
export interface CertificateNamesOptions {
  config: Config
  directory: Pick<Directory, 'domains'>
  resolver: Resolver
}

const labels = ['mta-sts', 'autoconfig', 'autodiscover'] as const
/** Let's Encrypt takes no more; of domains beyond, the operator names what matters. */
const mostNames = 100

export async function certificateNames(options: CertificateNamesOptions): Promise<string[]> {
  const { config, directory, resolver } = options
  const acme = config.tls?.acme
  if (acme && acme.names.length > 0) return acme.names
  const { hostname } = config
  const hasSite = wantedListeners(config).some(({ service }) => service === 'https')
  // A web server with a root of files has sites of its own: which of them answers for a name, nobody knows but the operator.
  if (!hasSite || acme?.web_root !== '') return [hostname]
  const ours = new Set(await addressesOf(resolver, hostname))
  const names = [hostname]
  for (const { name } of await directory.domains()) {
    const candidates = labels.map((label) => `${label}.${name}`)
    const addresses = await Promise.all(candidates.map((candidate) => addressesOf(resolver, candidate)))
    names.push(
      ...candidates.filter((_, index) => {
        const found = addresses[index] ?? []
        return found.length > 0 && found.every((address) => ours.has(address))
      }),
    )
    if (names.length >= mostNames) break
  }
  return names.slice(0, mostNames)
}
