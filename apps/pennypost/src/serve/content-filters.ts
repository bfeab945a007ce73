import type { Dialer } from '@pennypost/model'
import { type ContentFilter, createClamav, createHttpHook, createRspamd } from '@pennypost/reception'
import { parseHostPort } from '../config/quantity.ts'
import type { Config } from '../config/schema.ts'
import { readSecretFile } from './secret-file.ts'

/**
 * The filters that `[[policy.filter]]` names: rspamd, ClamAV, a hook. Called once at start; nothing is dialled before there
 * is a message to look at, so that a filter may start after the server.
 */
type FilterConfig = Config['policy']['filter'][number]

/** In the order of the configuration. Rejects when a password file cannot be read. */
export function openContentFilters(config: Config, base: string, dialer: Dialer): Promise<ContentFilter[]> {
  return Promise.all(config.policy.filter.map((filter) => openFilter(filter, config, base, dialer)))
}

async function openFilter(
  { kind, name = kind, at, services, timeout, max_size, path, content, password_file }: FilterConfig,
  { hostname }: Config,
  base: string,
  dialer: Dialer,
): Promise<ContentFilter> {
  const common = { name, services, limitMs: timeout, maxSize: max_size, endpoint: endpointOf(at), dialer }
  switch (kind) {
    case 'clamav':
      return createClamav(common)
    case 'http':
      return createHttpHook({ ...common, path, sendsContent: content })
    case 'rspamd': {
      const password = password_file === '' ? {} : { password: await readSecretFile(base, password_file) }
      return createRspamd({ ...common, hostname, ...password })
    }
  }
}

function endpointOf(at: string): { address: string; port: number } {
  const place = at.startsWith('/') ? undefined : parseHostPort(at, 0)
  return place ? { address: place.host, port: place.port } : { address: at, port: 0 }
}
