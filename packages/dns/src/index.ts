/** The public surface of `@pennypost/dns`. */
export type { AskingLimits } from './ask.ts'
export type { CacheLimits } from './cache.ts'
export type { Fault, FaultPlan, FaultScope } from './fault-plan.ts'
export { canonicalName } from './names.ts'
export {
  type CachingResolver,
  createResolver,
  defaultResolverLimits,
  type ResolverLimits,
  type ResolverOptions,
} from './resolver.ts'
export { parseResolvConf, readSystemServers } from './servers.ts'
export { createStaticResolver, type StaticResolver } from './static-resolver.ts'
export { type Zone, type ZoneOptions, type ZoneRow, zone } from './zone.ts'
export { createZoneServer, type ZoneServer, type ZoneServerLimits, type ZoneServerOptions } from './zone-server.ts'
export { createZones, type Zones, type ZonesOptions } from './zones.ts'
