export type { AccountUsage, UsageOf } from './extensions/quota.ts'
export { defaultImapLimits, type ImapLimits } from './limits.ts'
export type { ImapServiceOptions, MessageRead, SupersededCopy } from './options.ts'
export { createImapService, type ImapService } from './service.ts'
