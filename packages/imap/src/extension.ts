import type { Mailbox, ModSeq, ReservedRoom, SearchQuery, UidSet } from '@pennypost/model'
import type { VisibleMailbox } from './access/visible-mailbox.ts'
import type { AppendedMessage } from './append/message-sink.ts'
import type { Command, LiteralSink, State } from './command.ts'
import type { FetchItem } from './fetch/fetch-item.ts'
import type { FetchExtra } from './fetch/run-fetch.ts'
import type { By } from './grammar/sequence-set.ts'
import type { HierarchyName } from './list/hierarchy.ts'
import type { SearchKey } from './search/search-key.ts'
import type { Session } from './session/session.ts'
import type { SortCriterion, SortKey } from './sort/sort-key.ts'
import type { ThreadAlgorithm } from './thread/thread.ts'
import type { View } from './view/view.ts'
import type { Cursor, Unit } from './wire/cursor.ts'
import type { LiteralOffer } from './wire/framer.ts'

/**
 * One capability of the protocol and all that comes with it, as a value in one file of `extensions/`. What is not
 * registered does not exist: the capability line, the parsers and the commands are computed from these.
 */
export interface Extension {
  /** Names it in the configuration and in errors; usually its capability. */
  name: string
  rfc: string
  /** Names of extensions that it stands on: it is not there without them. */
  requires?: readonly string[]
  /** All the rest stands on it: disabled it is not announced, but it is there. */
  isBase?: true
  capabilities?: readonly Capability[]
  commands?: readonly Command[]
  fetchItems?: readonly FetchItemKind[]
  searchKeys?: readonly SearchKeyKind[]
  /** Options of `SEARCH RETURN (…)` (RFC 9051 §6.4.4). */
  searchReturns?: readonly SearchReturn[]
  /** Keys of SORT (RFC 5256 §3). */
  sortKeys?: readonly SortKey[]
  /** Algorithms of THREAD (RFC 5256 §3). */
  threadAlgorithms?: readonly ThreadAlgorithm[]
  statusItems?: readonly StatusItem[]
  /** Other ways than one literal to give a message to APPEND and REPLACE (RFC 4466 §2.6). */
  appendData?: readonly AppendDataKind[]
  /** Parameters in parentheses behind the mailbox name of SELECT and EXAMINE (RFC 4466 §2.1). */
  selectParameters?: readonly SelectParameter[]
  /** Selection options of LIST in parentheses before its reference. */
  listSelections?: readonly ListSelection[]
  listReturns?: readonly ListReturn[]
  /** Modifiers in parentheses before the item of STORE (RFC 4466 §2.5). */
  storeModifiers?: readonly StoreModifier[]
  fetchModifiers?: readonly FetchModifier[]
  /** What ENABLE of a name does; the name must be a capability (RFC 9051 §6.3.1). */
  enables?: readonly Enables[]
  /** Untagged responses at the end of SELECT and EXAMINE. */
  onSelect?(session: Session, view: View): void
  /** Response code for the mailbox that CREATE has made. */
  onCreated?(mailbox: Mailbox): string
  /** Parts of the untagged FETCH that tells changed flags, behind `FLAGS (…)`. */
  onFlagsTold?(session: Session, view: View, openIndex: number): string | undefined
  /** What the response of a SEARCH says besides, e.g. `MODSEQ 7`. */
  onFound?(session: Session, found: SearchFound): string | undefined
  /** Tells of what else may have changed in the selected mailbox; a promise when the store must be asked. */
  onChanged?(session: Session, view: View): Promise<void> | undefined
  /** Tells of expunged messages in another way than EXPUNGE; true when it did. */
  onExpungeTold?(session: Session, view: View, uids: readonly number[]): boolean
}

/** A word of CAPABILITY. */
export interface Capability {
  /** The word, or those that there are for this session as it stands: none, when it is not to be shown now. */
  name: string | ((session: Session) => readonly string[])
  /** States in which it is shown; all when absent. */
  states?: readonly State[]
}

/** A fetch attribute (RFC 9051 §6.4.5). */
export interface FetchItemKind {
  /** In upper case, up to a bracket: `BODY.PEEK`. */
  name: string
  /** Reads what is behind the name. */
  parse(cursor: Cursor, session: Session, name: string): FetchItem
}

/** A search key (RFC 9051 §6.4.4). */
export interface SearchKeyKind {
  /** In upper case, as in all that follows. */
  name: string
  /** Reads what is behind the name. */
  parse(cursor: Cursor, session: Session, context: SearchParse): SearchKey
}

/** What keys that hold others need, and the charset of the command's strings. */
export interface SearchParse {
  /** Reads one search key. */
  key(): SearchKey
  /** Reads an astring in the charset that the command named. */
  text(): string
  /** What must be asked of the store before the key can be used. */
  before(prepare: (session: Session, view: View) => Promise<void>): void
}

/** What SEARCH found, in order. */
export interface SearchFound {
  uids: UidSet
  /** The same in the order of SORT, when that was the command. */
  sorted?: readonly number[] | undefined
  /** The keys of that order. */
  criteria?: readonly SortCriterion[]
  /** Where it was found, if not in the selected mailbox. */
  view?: View
  /** What SAVE is to keep. */
  picked?: UidSet
  by: By
  /** What was asked, in the terms of the mailbox as it is at the time of the call. */
  query: () => SearchQuery
}

/** An option of `RETURN (…)`. */
export interface SearchReturn {
  name: string
  /** Lists the result: of these a command has one at most. */
  lists?: true
  /** Reads its arguments. */
  parse(cursor: Cursor, session: Session): SearchResult
}

/** What an option of RETURN says of a result. */
export interface SearchResult {
  /**
   * What it adds to the ESEARCH response, without spaces around it: '' adds nothing but asks for the response, undefined
   * asks for none (SAVE).
   */
  say(session: Session, found: SearchFound): string | undefined
  /** The messages that it names, for what is kept by SAVE; absent: it has no part in that. */
  picks?(found: SearchFound): UidSet
  /** Names one message of many: what is said beside such alone is of them alone (RFC 4731 §3.2). */
  isEnd?: true
  /** Means something in the selected mailbox alone (RFC 7377 §2.2). */
  selectedOnly?: true
  /** Says, once for the command, that ESEARCH does not give it. */
  refuse?(session: Session): void
}

/** An item of STATUS (RFC 9051 §6.3.11). */
export interface StatusItem {
  name: string
  /** As it stands in the response, behind the name. */
  value(session: Session, mailbox: VisibleMailbox): number | string | Promise<number | string>
}

/** A way to give a message to APPEND, named by the word that begins it: CATENATE. */
export interface AppendDataKind {
  name: string
  /** Reads what is behind the name; what it gives makes the message when the command runs. */
  parse(cursor: Cursor, session: Session): (session: Session) => Promise<AppendedMessage>
  /** Whether the literal announced by the last of `unit.lines` is an argument within it, to be held in memory. */
  holds(session: Session, unit: Unit): boolean
  /**
   * Where another literal within it goes; undefined when the literal announced by the last of `unit.lines` is not its own. `room`
   * is promised to it.
   */
  literal(session: Session, unit: Unit, offer: LiteralOffer, room: ReservedRoom): LiteralSink | undefined
}

/** A parameter of SELECT and EXAMINE. */
export interface SelectParameter {
  name: string
  /** Reads its arguments; what it gives is run when the mailbox is selected, after the other responses. */
  parse(cursor: Cursor, session: Session): (session: Session, view: View) => void | Promise<void>
}

/** A selection option of LIST (RFC 5258 §3). */
export interface ListSelection {
  name: string
  /** Whether it leaves the name in; absent for one that adds to what is listed (RFC 5258 §3: REMOTE), or modifies. */
  selects?(name: HierarchyName): boolean
  /** Changes what is listed only in company of one that chooses: RECURSIVEMATCH. */
  modifies?: true
}

/** A return option of LIST. */
export interface ListReturn {
  name: string
  /** Reads its arguments; what it gives is run after the line of each mailbox that can be selected. */
  parse(cursor: Cursor, session: Session): (session: Session, mailbox: VisibleMailbox) => void | Promise<void>
}

/** A modifier in parentheses before the item of STORE (RFC 4466 §2.5). */
export interface StoreModifier {
  name: string
  /** Reads its arguments. */
  parse(cursor: Cursor, session: Session): StoreCondition
}

/** A modifier in parentheses behind the items of FETCH (RFC 4466 §2.4). */
export interface FetchModifier {
  name: string
  parse(cursor: Cursor, session: Session): FetchExtra
}

/** On which messages STORE acts. */
export interface StoreCondition {
  /** Only on those whose MODSEQ is no higher. */
  unchangedSince?: ModSeq
}

/** A name that ENABLE takes. */
export interface Enables {
  /** In upper case. */
  name: string
  /** As ENABLED says it, where that is not the name. */
  spelling?: string
  /** What is to be done besides: the name itself is kept in `session.enabled`. */
  apply?(session: Session): void
}
