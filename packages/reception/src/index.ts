export { defaultBudget, type InboundChecks } from './checks/options.ts'
export { isLoopback, type Networks, networks } from './networks.ts'
export * from './options.ts'
export { openReception, type ReceptionListenerOptions } from './service.ts'
