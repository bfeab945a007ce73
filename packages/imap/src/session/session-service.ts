import type { Turns } from '@pennypost/transport'
import type { ImapLimits } from '../limits.ts'
import type { Signals } from '../notify/signals.ts'
import type { ImapServiceOptions } from '../options.ts'
import type { Registry } from '../registry.ts'
import type { OpenMailboxes } from '../view/open-mailboxes.ts'

/** What all sessions of one service share: what it was given, and what it has made (`service.ts`). */

type Defaulted = 'serverId' | 'requireTlsForAuth' | 'offersTls'
type Given = Omit<ImapServiceOptions, 'disable' | 'compress' | 'limits' | Defaulted> &
  Required<Pick<ImapServiceOptions, Defaulted>>

export interface SessionService extends Readonly<Given> {
  readonly registry: Registry
  readonly mailboxes: OpenMailboxes
  readonly signals: Signals
  readonly limits: ImapLimits
  readonly turns: Turns
  /** The same service without these capabilities, for accounts that are not to see them. */
  without(capabilities: readonly string[]): SessionService
}
