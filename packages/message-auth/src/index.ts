export { authenticationResults } from './authentication-results.ts'
export { type Checker, type CheckerOptions, type CheckLimits, createChecker } from './checker.ts'
export { type AggregateRow, aggregateRow } from './dmarc/aggregate-row.ts'
export type { DmarcRecord } from './dmarc/record.ts'
export { findReportWish, type ReportWish } from './dmarc/report-wish.ts'
export { type Fact, parseFact, withFact } from './explain.ts'
export { within } from './findings/deadline.ts'
export type { DnsList } from './findings/dns-list.ts'
export type * from './findings/finding.ts'
export { checkHelo } from './findings/helo.ts'
export {
  type Action,
  aboutContent,
  defaultPolicy,
  isAuthenticationDecisive,
  judge,
  type Policy,
  type Reason,
  type Verdict,
} from './judge.ts'
export { type DkimRecord, dkimRecords } from './signing/dkim-records.ts'
export { defaultSelectors, generateKeys, type Selector } from './signing/generate-keys.ts'
export { SigningKeyError } from './signing/key-directory.ts'
export { freshSelectors, retireKey } from './signing/retire-key.ts'
export type { MessageToSeal, Sealing } from './signing/sealer.ts'
export {
  createSigner,
  type MessageToSign,
  NothingToSignError,
  type Signer,
  type SignerOptions,
} from './signing/signer.ts'
