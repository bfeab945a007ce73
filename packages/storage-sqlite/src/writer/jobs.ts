import type { WriterContext } from './context.ts'
import { accept } from './jobs/accept.ts'
import { addAccount, grantSendAs, purgeAccount, setRemoved, updateAccount } from './jobs/accounts.ts'
import { annotate } from './jobs/annotations.ts'
import { append, replace } from './jobs/append.ts'
import { claim, claimOne, renew } from './jobs/claim.ts'
import { copy, move } from './jobs/copy.ts'
import { addAppPassword, removeCredential, setPassword, setScram, touchCredential } from './jobs/credentials.ts'
import { addDomain, putAlias, removeAlias, removeDomain, updateDomain } from './jobs/directory.ts'
import { expunge, releaseGhosts } from './jobs/expunge.ts'
import { claimRecent, updateFlags } from './jobs/flags.ts'
import { pruneJourneys, pruneTranscripts, recordFlow, unconfirm } from './jobs/flow.ts'
import { createMailbox, deleteMailbox, reap, renameMailbox, setSpecialUse, subscribe } from './jobs/mailboxes.ts'
import { forgetMemory, note, pruneMemory } from './jobs/memory.ts'
import { hold, redirect, release, removeEntries, retryNow } from './jobs/operators.ts'
import { settle } from './jobs/settle.ts'
import { setAcl } from './jobs/sharing.ts'
import type { Job } from './protocol.ts'

/**
 * Every verb of the writer in one table. `durable`: synced before it is acknowledged; the others within 100 ms.
 * `grows`: stores new content, so that the ballast is not spent on it.
 */
interface Kind {
  // biome-ignore lint/suspicious/noExplicitAny: each verb has arguments of its own, see JobArguments
  run: (context: WriterContext, args: any) => unknown
  durable: boolean
  grows?: true
}

const kinds = {
  accept: { run: accept, durable: true, grows: true },
  append: { run: append, durable: true, grows: true },
  replace: { run: replace, durable: true, grows: true },
  unconfirm: { run: unconfirm, durable: false },

  createMailbox: { run: createMailbox, durable: true },
  renameMailbox: { run: renameMailbox, durable: true },
  setSpecialUse: { run: setSpecialUse, durable: true },
  deleteMailbox: { run: deleteMailbox, durable: true },
  subscribe: { run: subscribe, durable: true },
  setAcl: { run: setAcl, durable: true },
  annotate: { run: annotate, durable: true },

  updateFlags: { run: updateFlags, durable: false },
  claimRecent: { run: claimRecent, durable: false },
  copy: { run: copy, durable: true, grows: true },
  move: { run: move, durable: true },
  expunge: { run: expunge, durable: true },
  releaseGhosts: { run: releaseGhosts, durable: false },
  reap: { run: reap, durable: false },

  claim: { run: claim, durable: false },
  claimOne: { run: claimOne, durable: false },
  renew: { run: renew, durable: false },
  settle: { run: settle, durable: true },
  hold: { run: hold, durable: true },
  release: { run: release, durable: true },
  redirect: { run: redirect, durable: true },
  retryNow: { run: retryNow, durable: true },
  removeEntries: { run: removeEntries, durable: true },

  addDomain: { run: addDomain, durable: true },
  updateDomain: { run: updateDomain, durable: true },
  removeDomain: { run: removeDomain, durable: true },
  addAccount: { run: addAccount, durable: true },
  updateAccount: { run: updateAccount, durable: true },
  setRemoved: { run: setRemoved, durable: true },
  purgeAccount: { run: purgeAccount, durable: true },
  grantSendAs: { run: grantSendAs, durable: true },
  putAlias: { run: putAlias, durable: true },
  removeAlias: { run: removeAlias, durable: true },

  setPassword: { run: setPassword, durable: true },
  addAppPassword: { run: addAppPassword, durable: true },
  removeCredential: { run: removeCredential, durable: true },
  setScram: { run: setScram, durable: true },
  touchCredential: { run: touchCredential, durable: false },

  recordFlow: { run: recordFlow, durable: false },
  pruneJourneys: { run: pruneJourneys, durable: false },
  pruneTranscripts: { run: pruneTranscripts, durable: false },
  note: { run: note, durable: false },
  forgetMemory: { run: forgetMemory, durable: false },
  pruneMemory: { run: pruneMemory, durable: false },
} as const satisfies Record<string, Kind>

export type Verb = keyof typeof kinds
export type JobArguments<V extends Verb> = Parameters<(typeof kinds)[V]['run']>[1]
export type JobResult<V extends Verb> = ReturnType<(typeof kinds)[V]['run']>

export function runJob(context: WriterContext, job: Job): JobResult<Verb> {
  const kind: Kind = kinds[job.verb]
  return kind.run(context, job.args) as JobResult<Verb>
}

export function isDurable(verb: Verb): boolean {
  return kinds[verb].durable
}

/** Whether the verb may be helped through a full disk by the ballast: all but those that store new content. */
export function mayUseBallast(verb: Verb): boolean {
  return !('grows' in kinds[verb])
}
