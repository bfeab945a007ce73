export { defaultPop3Limits, type Pop3Limits, type Pop3Options } from './options.ts'
export { createPop3Service, type Pop3ListenerOptions, type Pop3Service } from './service.ts'
