/** The public surface of `@pennypost/relay`. */
export type { DeliveredFacts } from './delivered-notices.ts'
export type { DsnSigner } from './dsn.ts'
export { defaultRelayLimits, type RelayLimits } from './limits.ts'
export type { RelayOptions } from './options.ts'
export { createRelay, type Relay } from './relay.ts'
export { createRoutes, type Route, type RouteOptions, type Routes, type Smarthost } from './routes.ts'
export { defaultSchedule, type Schedule } from './schedule.ts'
