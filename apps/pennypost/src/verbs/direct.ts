import { dirname } from 'node:path'
import { type Administration, createDirectAdministration } from '@pennypost/admin'
import { createResolver, readSystemServers } from '@pennypost/dns'
import { silentLog, systemClock, systemDeadline, systemRandom } from '@pennypost/model'
import { createPasswords } from '@pennypost/sasl'
import { openSqliteStore } from '@pennypost/storage-sqlite'
import { loadConfig } from '../config/load.ts'
import { type Place, requireOwner } from '../config/place.ts'
import type { Config } from '../config/schema.ts'
import { adminContext } from '../serve/administration.ts'
import { backUpDirectory } from '../serve/backup-directory.ts'
import { loadSecrets } from '../serve/secrets.ts'
import { storeLimitsOf } from '../serve/store.ts'
import { storeWorkers } from '../serve/workers.ts'
import { noteAuditLost } from './terminal.ts'

/**
 * Administration of a data directory that no server has open. Loaded only then: it brings the storage engine and all
 * that operations need with it.
 */
export interface DirectAdministration extends Administration {
  close(): Promise<void>
}

/** Opens the data directory of the installation. `given`: instead of reading the configuration file. */
export async function openDirect(place: Place, actor: string, given?: Config): Promise<DirectAdministration> {
  requireOwner(place)
  const config = given ?? loadConfig(place.configFile as string)
  const { dataDirectory } = place
  const ports = { clock: systemClock, deadline: systemDeadline, random: systemRandom, log: silentLog }
  const { servers, dnssec } = config.dns
  // A verb that fails here must still end: the threads of an open store would keep its process.
  await using opening = new AsyncDisposableStack()
  const store = await openSqliteStore({
    directory: dataDirectory,
    ...ports,
    ...storeWorkers,
    limits: storeLimitsOf(config),
  })
  opening.defer(() => store.close())
  const nameServers = servers.length > 0 ? servers : await readSystemServers()
  const resolver = createResolver({ servers: nameServers, dnssec, ...ports })
  opening.defer(() => resolver.close())
  const { appPasswords, srs } = await loadSecrets(dataDirectory, systemRandom)
  const context = adminContext({
    config,
    dataDirectory,
    store,
    resolver,
    clock: systemClock,
    random: systemRandom,
    passwords: createPasswords(),
    appPasswordSecret: appPasswords,
    probe: async (request) => {
      const { probeOf } = await import('../serve/relaying.ts')
      const base = dirname(place.configFile ?? '.')
      return probeOf({ config, base, store, log: silentLog, resolver, srsSecret: srs })(request)
    },
    onAuditLost: noteAuditLost,
    backUp: (target, options) => backUpDirectory(store, dataDirectory, target, options),
  })
  const { call } = createDirectAdministration(context, actor)
  const held = opening.move()
  return { call, close: () => held.disposeAsync() }
}
