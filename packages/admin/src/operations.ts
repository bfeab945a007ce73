/** Every operation, in one table: the admin socket and the command line are made from it. */
import {
  accountAdd,
  accountList,
  accountRemove,
  accountRestore,
  accountResume,
  accountSet,
  accountShow,
  accountSuspend,
} from './operations/account.ts'
import * as credentials from './operations/account-credentials.ts'
import { accountImport } from './operations/account-import.ts'
import { accountShare } from './operations/account-sharing.ts'
import { aliasAdd, aliasList, aliasRemove } from './operations/alias.ts'
import { dial } from './operations/dial.ts'
import { dkimList, dkimRetire, dkimRotate } from './operations/dkim.ts'
import { dnsCheck, dnsRecords } from './operations/dns.ts'
import { domainAdd, domainList, domainRemove, domainSet, domainShow } from './operations/domain.ts'
import { explain } from './operations/explain.ts'
import { mailExport } from './operations/export.ts'
import { mailImport } from './operations/import.ts'
import { storeBackup, storeCheck } from './operations/maintenance.ts'
import * as queue from './operations/queue.ts'
import { reports } from './operations/reports.ts'
import * as orders from './operations/standing-orders.ts'
import { status } from './operations/status.ts'
import { submit } from './operations/submit.ts'
import { trace, traceList } from './operations/trace.ts'

export const operations = [
  domainAdd,
  domainList,
  domainShow,
  domainSet,
  domainRemove,
  accountAdd,
  accountImport,
  accountList,
  accountShow,
  accountSet,
  accountShare,
  accountSuspend,
  accountResume,
  accountRemove,
  accountRestore,
  credentials.accountPasswd,
  credentials.appPasswordAdd,
  credentials.appPasswordList,
  credentials.appPasswordRemove,
  credentials.sendAsGrant,
  credentials.sendAsRevoke,
  aliasAdd,
  aliasList,
  aliasRemove,
  queue.queueList,
  queue.queueShow,
  queue.queueHold,
  queue.queueRelease,
  queue.queueRetry,
  queue.queueFail,
  queue.queueRedirect,
  queue.queueRemove,
  orders.holdRuleList,
  orders.holdRuleAdd,
  orders.holdRuleRemove,
  orders.suppressionList,
  orders.suppressionAdd,
  orders.suppressionRemove,
  reports,
  trace,
  traceList,
  explain,
  dkimList,
  dkimRotate,
  dkimRetire,
  dial,
  dnsRecords,
  dnsCheck,
  mailImport,
  mailExport,
  storeCheck,
  storeBackup,
  status,
  submit,
] as const

export type OperationName = (typeof operations)[number]['name']
