/**
 * Puts the daily reports together: what is counted, and who is told of it at night.
 * Who calls it: `createRelay`.
 */
import type { AggregateRow } from '@pennypost/message-auth'
import type { Log, PolicyMemory, Resolver } from '@pennypost/model'
import type { Https } from '../tls/https.ts'
import { makeDmarcReports } from './dmarc-reports.ts'
import { createDmarcRows } from './dmarc-rows.ts'
import type { MailReportOptions } from './mail-report.ts'
import { NightlyReports } from './nightly-reports.ts'
import { makeTlsReports } from './tls-reports.ts'
import { createTlsSessions, type TlsSessions } from './tls-sessions.ts'

export interface ReportsOptions extends MailReportOptions {
  memory: PolicyMemory
  resolver: Resolver
  log: Log
  /** Sends reports of TLS sessions; absent: none are made. */
  tlsReports?: Https
  /** Whether domains are told what DMARC made of their mail; absent: no. */
  dmarcReports?: boolean
}

export interface Reports {
  /** Counts TLS sessions; absent: nobody is told of them. */
  sessions?: TlsSessions
  /** Counts a message of others. `isReport`: it alone is no reason for a report. */
  noteDmarc(row: AggregateRow, isReport: boolean): void
  start(): void
  stop(): Promise<void>
}

export function createReports(options: ReportsOptions): Reports {
  const { tlsReports: https } = options
  const sessions = https && createTlsSessions(options)
  const tls =
    sessions &&
    new NightlyReports({
      ...options,
      what: 'TLS',
      counts: sessions,
      make: (domainDay, signal) => makeTlsReports(domainDay, signal, { ...options, https }),
    })
  const rows = options.dmarcReports ? createDmarcRows(options) : undefined
  const dmarc =
    rows &&
    new NightlyReports({
      ...options,
      what: 'DMARC',
      counts: rows,
      make: (domainDay, signal) => makeDmarcReports(domainDay, signal, options),
    })
  return {
    ...(sessions ? { sessions } : {}),
    noteDmarc: (row, isReport) => rows?.note({ ...row, isReport }),
    start() {
      tls?.start()
      dmarc?.start()
    },
    async stop() {
      await Promise.all([tls?.stop(), dmarc?.stop()])
    },
  }
}
