import type { Command } from '../command.ts'
import { append } from './append.ts'
import { authenticate } from './authenticate.ts'
import { capability } from './capability.ts'
import { check } from './check.ts'
import { close } from './close.ts'
import { copy, uidCopy } from './copy.ts'
import { create } from './create.ts'
import { deleteMailbox } from './delete.ts'
import { expunge } from './expunge.ts'
import { fetch, uidFetch } from './fetch.ts'
import { list } from './list.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { lsub } from './lsub.ts'
import { noop } from './noop.ts'
import { rename } from './rename.ts'
import { search, uidSearch } from './search.ts'
import { examine, select } from './select.ts'
import { starttls } from './starttls.ts'
import { status } from './status.ts'
import { store, uidStore } from './store.ts'
import { subscribe, unsubscribe } from './subscribe.ts'

/** The commands that IMAP4rev1 and IMAP4rev2 share, and those of IMAP4rev1 alone; extensions bring their own. */
export const baseCommands: readonly Command[] = [
  capability,
  noop,
  logout,
  starttls,
  authenticate,
  login,
  select,
  examine,
  create,
  deleteMailbox,
  rename,
  subscribe,
  unsubscribe,
  list,
  lsub,
  status,
  append,
  check,
  close,
  expunge,
  search,
  uidSearch,
  fetch,
  uidFetch,
  store,
  uidStore,
  copy,
  uidCopy,
]
