import type { Clock, Dialer, Log } from '@pennypost/model'
import { type ContentFilter, createClamav, createHttpHook, createRspamd } from '@pennypost/reception'
import { parseHostPort } from '../config/quantity.ts'
import type { Config } from '../config/schema.ts'
import { readSecretFile } from './secret-file.ts'

/**
 * The filters that `[[policy.filter]]` names: rspamd, ClamAV, a hook. Called once at start; nothing is dialled before there
 * is a message to look at, so that a filter may start after the server.
 */
type FilterConfig = Config['policy']['filter'][number]

interface Parts {
  config: Config
  /** Where relative paths of the configuration begin. */
  base: string
  dialer: Dialer
  clock: Pick<Clock, 'elapsed'>
  log: Pick<Log, 'error'>
}

/** In the order of the configuration. Rejects when a password file cannot be read. */
export function openContentFilters(parts: Parts): Promise<ContentFilter[]> {
  return Promise.all(parts.config.policy.filter.map((filter) => openFilter(filter, parts)))
}

async function openFilter(
  { kind, name = kind, at, services, timeout, max_size, path, content, password_file }: FilterConfig,
  parts: Parts,
): Promise<ContentFilter> {
  const { base, dialer } = parts
  const { hostname } = parts.config
  const onUnavailable = onceADay(parts, (detail) => {
    parts.log.error({ filter: name }, `a filter says nothing of mail: ${detail}`)
  })
  const common = {
    name,
    services,
    limitMs: timeout,
    maxSize: max_size,
    endpoint: endpointOf(at),
    dialer,
    onUnavailable,
  }
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

/** Mail goes on without a filter, so that nobody else would notice; yet not each message is worth an error. */
function onceADay({ clock }: Pick<Parts, 'clock'>, tell: (detail: string) => void): (detail: string) => void {
  let toldAt: number | undefined
  return (detail) => {
    const now = clock.elapsed()
    if (toldAt !== undefined && now - toldAt < 86_400_000) return
    toldAt = now
    tell(detail)
  }
}

function endpointOf(at: string): { address: string; port: number } {
  const place = at.startsWith('/') ? undefined : parseHostPort(at, 0)
  return place ? { address: place.host, port: place.port } : { address: at, port: 0 }
}
