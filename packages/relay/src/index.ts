/** The public surface of `@pennypost/relay`. */
export { type Hop, parseHop } from './hop.ts'
export type { RelayLimits } from './limits.ts'
export type { RelayOptions } from './options.ts'
export type { ProbedHost, ProbedTarget, ProbeReport, ProbeRequest } from './probe.ts'
export { createDialProbe, createRelay, type Relay } from './relay.ts'
export {
  type ConfiguredRoute,
  createRoutes,
  type Route,
  type RouteOptions,
  type Routes,
} from './routes.ts'
export type { Schedule } from './schedule.ts'
export { createHttps, type Https, type HttpsOptions } from './tls/https.ts'
export { createStsPolicies, type StsPolicies } from './tls/sts-policies.ts'
