/**
 * Every bound that an IMAP session keeps, in one place. Sizes in octets, times in milliseconds. What happens at the
 * limit is said at each: the stream always keeps its place, or the connection ends with BYE.
 */
export interface ImapLimits {
  /**
   * One line of a command, without its literals, after login: BAD [TOOBIG]. RFC 7162 §4 asks for at least 8192, but programs
   * name each UID of a large mailbox in one line.
   */
  line: number
  lineBeforeLogin: number
  /** One literal held in memory, after login: tagged NO or BAD [TOOBIG], before the continuation is sent. */
  literal: number
  /**
   * All that is held of one command, lines and literals, 32 octets more for each of either: BAD [TOOBIG]. So it bounds the
   * messages of one APPEND too. Before login it is as much as one line and one literal.
   */
  command: number
  /** One literal before login. */
  literalBeforeLogin: number
  /** A message given to APPEND: NO [TOOBIG]. */
  message: number
  /**
   * What is held in memory of the messages of one APPEND beside their content: their headers, and what FETCH tells of their
   * structure. NO [TOOBIG] for one more message.
   */
  appended: number
  /** Octets of a refused non-synchronizing literal, or of too long a line, that are read and thrown away; above that BYE. */
  swallowed: number
  /** Nesting of parentheses and of NOT and OR in SEARCH: BAD. */
  nesting: number
  /** Search keys in one SEARCH: NO [LIMIT]. */
  searchKeys: number
  /** Fetch items in one FETCH, and field names in one HEADER.FIELDS: BAD. */
  fetchItems: number
  /** Results of SEARCH and SORT that a session has updated: untagged NO [NOUPDATE]. */
  updatedResults: number
  /** Patterns, options, parameters, URLs and the like of one command: BAD. Names for ENABLE beyond it are passed over. */
  parameters: number
  /** Commands that one connection may give before it has logged in; then BYE. */
  commandsBeforeLogin: number
  /** Failed logins of one connection; then BYE. */
  failedLogins: number
  /** Octets read ahead while a command runs; the socket rests above that. */
  inputBacklog: number
  /** Octets pushed to an idling client that it has not read; above that the connection is dropped. */
  outputBacklog: number
  /** Octets not read at which NOTIFY ends, and mailboxes that it may watch: [NOTIFICATIONOVERFLOW]. */
  notifyBacklog: number
  notifyMailboxes: number
  /** A client that reads nothing of an answer for so long is dropped. */
  outputStallMs: number
  /** From the greeting to a login, whatever is said between; then BYE. */
  loginTimeoutMs: number
  /** Silence after login; then BYE. RFC 9051 §5.4 asks for at least 30 minutes. */
  idleTimeoutMs: number
  /** Between two `* OK Still here` in IDLE: keeps middleboxes awake and finds dead peers. */
  stillHereMs: number
  /** Between two signs of life of a search that takes long (RFC 9585). */
  progressMs: number
  /** Mailboxes that stay in memory after their last session has left them, and messages in them: some 20 to 60 octets each. */
  warmMailboxes: number
  warmMessages: number
}

export const defaultImapLimits: ImapLimits = {
  line: 256 * 1024,
  lineBeforeLogin: 64 * 1024,
  literal: 64 * 1024,
  command: 512 * 1024,
  literalBeforeLogin: 4 * 1024,
  message: 50 * 1024 * 1024,
  appended: 16 * 1024 * 1024,
  swallowed: 64 * 1024 * 1024,
  nesting: 50,
  searchKeys: 1000,
  fetchItems: 200,
  updatedResults: 20,
  parameters: 100,
  commandsBeforeLogin: 100,
  failedLogins: 5,
  inputBacklog: 64 * 1024,
  outputBacklog: 1024 * 1024,
  notifyBacklog: 256 * 1024,
  notifyMailboxes: 5000,
  outputStallMs: 5 * 60_000,
  loginTimeoutMs: 3 * 60_000,
  idleTimeoutMs: 30 * 60_000,
  stillHereMs: 4 * 60_000,
  progressMs: 10_000,
  warmMailboxes: 1000,
  warmMessages: 1_000_000,
}
