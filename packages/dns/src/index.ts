/** The public surface of `@pennypost/dns`. */
export type { AskingLimits } from './ask.ts'
export type { CacheLimits } from './cache.ts'
export type { Fault, FaultPlan, FaultScope } from './fault-plan.ts'
export {
  type CachingResolver,
  createResolver,
  type ResolverLimits,
  type ResolverOptions,
} from './resolver.ts'
export { readSystemServers } from './servers.ts'
export { createStaticResolver, type StaticResolver } from './static-resolver.ts'
export { type Zone, type ZoneOptions, type ZoneRow, zone } from './zone.ts'
export { createZoneServer, type ZoneServer, type ZoneServerLimits, type ZoneServerOptions } from './zone-server.ts'
export type { Zones, ZonesOptions } from './zones.ts'
