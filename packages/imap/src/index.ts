export type { AccountUsage, UsageOf } from './extensions/quota.ts'
export { defaultImapLimits, type ImapLimits } from './limits.ts'
export { createImapService, type ImapService, type ImapServiceOptions } from './service.ts'
export type { MessageRead, SupersededCopy } from './session/session-service.ts'
