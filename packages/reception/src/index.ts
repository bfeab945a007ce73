export * from './options.ts'
export { openReception, type ReceptionListenerOptions } from './service.ts'
