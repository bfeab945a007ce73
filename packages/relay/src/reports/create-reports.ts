/**
 * Puts the daily reports together: what is counted, and who is told of it at night.
 * Who calls it: `createRelay`.
 */
import type { Log, PolicyMemory, Resolver } from '@pennypost/model'
import type { Https } from '../tls/https.ts'
import type { StsPolicies } from '../tls/sts-policies.ts'
import type { MailReportOptions } from './mail-report.ts'
import { NightlyReports } from './nightly-reports.ts'
import { makeTlsReports } from './tls-reports.ts'
import { createTlsSessions, type TlsSessions } from './tls-sessions.ts'

export interface ReportsOptions extends MailReportOptions {
  memory: PolicyMemory
  resolver: Resolver
  sts?: StsPolicies
  log: Log
  /** Sends reports of TLS sessions; absent: none are made. */
  tlsReports?: Https
}

export interface Reports {
  /** Counts TLS sessions; absent: nobody is told of them. */
  sessions?: TlsSessions
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
  return {
    ...(sessions ? { sessions } : {}),
    start() {
      tls?.start()
    },
    async stop() {
      await tls?.stop()
    },
  }
}
