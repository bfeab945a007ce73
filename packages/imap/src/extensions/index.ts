import type { Extension } from '../extension.ts'
import { acl } from './acl.ts'
import { appendlimit } from './appendlimit.ts'
import { binary } from './binary.ts'
import { catenate } from './catenate.ts'
import { children } from './children.ts'
import { compressDeflate } from './compress.ts'
import { condstore } from './condstore.ts'
import { contextSearch, contextSort } from './context.ts'
import { enableExtension } from './enable.ts'
import { esearch } from './esearch.ts'
import { esort } from './esort.ts'
import { i18nLevel } from './i18nlevel.ts'
import { idExtension } from './id.ts'
import { idleExtension } from './idle.ts'
import { imap4rev1 } from './imap4rev1.ts'
import { imap4rev2 } from './imap4rev2.ts'
import { inProgress } from './inprogress.ts'
import { listExtended } from './list-extended.ts'
import { listMetadata } from './list-metadata.ts'
import { listMyRights } from './list-myrights.ts'
import { listStatus } from './list-status.ts'
import { literalPlus } from './literal-plus.ts'
import { metadata } from './metadata.ts'
import { moveExtension } from './move.ts'
import { multiappend } from './multiappend.ts'
import { multisearch } from './multisearch.ts'
import { namespaceExtension } from './namespace.ts'
import { notifyExtension } from './notify.ts'
import { objectid } from './objectid.ts'
import { partial } from './partial.ts'
import { preview } from './preview.ts'
import { qresync } from './qresync.ts'
import { quota } from './quota.ts'
import { replaceExtension } from './replace.ts'
import { saslIr } from './sasl-ir.ts'
import { savedate } from './savedate.ts'
import { searchFuzzy } from './search-fuzzy.ts'
import { searchres } from './searchres.ts'
import { sortExtension } from './sort.ts'
import { sortDisplay } from './sort-display.ts'
import { createSpecialUse, specialUse } from './special-use.ts'
import { statusSize } from './status-size.ts'
import { threadExtension } from './thread.ts'
import { threadOrderedSubject } from './thread-ordered-subject.ts'
import { threadReferences } from './thread-references.ts'
import { uidplus } from './uidplus.ts'
import { unauthenticateExtension } from './unauthenticate.ts'
import { unselectExtension } from './unselect.ts'
import { urlAuth } from './urlauth.ts'
import { urlAuthBinary } from './urlauth-binary.ts'
import { utf8Accept } from './utf8-accept.ts'
import { within } from './within.ts'

/** In the order in which they are announced. An extension is there because it is in this list. */
export const extensions: readonly Extension[] = [
  imap4rev1,
  imap4rev2,
  saslIr,
  literalPlus,
  enableExtension,
  idExtension,
  idleExtension,
  namespaceExtension,
  children,
  unselectExtension,
  uidplus,
  moveExtension,
  multiappend,
  appendlimit,
  binary,
  condstore,
  qresync,
  esearch,
  searchres,
  within,
  savedate,
  listExtended,
  listStatus,
  specialUse,
  createSpecialUse,
  sortExtension,
  sortDisplay,
  esort,
  contextSearch,
  contextSort,
  partial,
  i18nLevel,
  searchFuzzy,
  multisearch,
  inProgress,
  threadExtension,
  threadOrderedSubject,
  threadReferences,
  statusSize,
  quota,
  acl,
  listMyRights,
  metadata,
  listMetadata,
  notifyExtension,
  objectid,
  replaceExtension,
  catenate,
  urlAuth,
  urlAuthBinary,
  unauthenticateExtension,
  compressDeflate,
  utf8Accept,
  preview,
]
