/**
 * Reads everything and says what does not fit together. Each query sees one state of the database, and each compares
 * only what one transaction keeps together, so that a store in use has no faults either.
 */
interface Rule {
  fault: string
  /** Gives `where` of each fault. */
  sql: string
  advice: string
}

export const restore = 'restore the newest backup, or export what can be read'
const report = 'report this as a bug, with the output of check'

export const rules: readonly Rule[] = [
  {
    fault: 'counter-wrong',
    sql: `SELECT 'mailbox ' || id FROM mailboxes LEFT JOIN (
        SELECT mailbox, count(*) AS messages, sum(flags & 8 = 0) AS unseen, sum(flags & 4 <> 0) AS deleted,
          max(uid) AS uid, max(modseq) AS modseq FROM marks GROUP BY mailbox) AS counted ON counted.mailbox = id
      LEFT JOIN (SELECT mailbox, sum(size) AS size FROM filings GROUP BY mailbox) AS sized ON sized.mailbox = id
      WHERE (mailboxes.messages, mailboxes.unseen, mailboxes.deleted, mailboxes.size) IS NOT
          (coalesce(counted.messages, 0), coalesce(counted.unseen, 0), coalesce(counted.deleted, 0), coalesce(sized.size, 0))
        OR counted.uid >= uid_next OR counted.modseq > highest_modseq`,
    advice: report,
  },
  {
    fault: 'counter-wrong',
    sql: `SELECT 'account ' || account FROM usage LEFT JOIN (
        SELECT account AS owner, sum(size) AS size, sum(messages) AS count FROM mailboxes GROUP BY account)
        ON owner = account
      WHERE (octets, messages) IS NOT (coalesce(size, 0), coalesce(count, 0))`,
    advice: report,
  },
  {
    fault: 'counter-wrong',
    sql: `SELECT 'modseq of account ' || account FROM mailboxes LEFT JOIN counters ON owner = account
      GROUP BY account HAVING max(highest_modseq) >= coalesce(max(reserved), 0)`,
    advice: report,
  },
  {
    fault: 'counter-wrong',
    sql: `SELECT 'viewer ' || viewers.viewer || ' of mailbox ' || viewers.mailbox FROM viewers LEFT JOIN (
        SELECT mailbox, viewer, sum(seen) AS count FROM seen GROUP BY mailbox, viewer) AS counted
        ON counted.mailbox = viewers.mailbox AND counted.viewer = viewers.viewer
      WHERE viewers.seen <> coalesce(count, 0)`,
    advice: report,
  },
  {
    fault: 'seen-without-mark',
    sql: `SELECT 'mailbox ' || mailbox || ', UID ' || uid FROM seen
      WHERE NOT EXISTS (SELECT 1 FROM marks WHERE marks.mailbox = seen.mailbox AND marks.uid = seen.uid)
        AND NOT EXISTS (SELECT 1 FROM graves WHERE graves.mailbox = seen.mailbox)`,
    advice: report,
  },
  {
    fault: 'mailbox-missing',
    sql: `SELECT DISTINCT 'mailbox ' || mailbox FROM (SELECT mailbox FROM acl UNION SELECT mailbox FROM viewers
        UNION SELECT mailbox FROM annotations WHERE mailbox <> 0) WHERE mailbox NOT IN (SELECT id FROM mailboxes)`,
    advice: report,
  },
  {
    fault: 'account-missing',
    sql: `SELECT DISTINCT 'account ' || account FROM (SELECT grantee AS account FROM acl UNION SELECT viewer FROM viewers
        UNION SELECT account FROM annotations UNION SELECT payer FROM annotations)
      WHERE account <> 0 AND account NOT IN (SELECT id FROM accounts)`,
    advice: report,
  },
  {
    fault: 'filing-without-mark',
    sql: `SELECT 'mailbox ' || mailbox || ', UID ' || uid FROM filings
      WHERE NOT EXISTS (SELECT 1 FROM marks WHERE marks.mailbox = filings.mailbox AND marks.uid = filings.uid)`,
    advice: report,
  },
  {
    fault: 'mark-without-filing',
    sql: `SELECT 'mailbox ' || mailbox || ', UID ' || uid FROM marks
      WHERE NOT EXISTS (SELECT 1 FROM filings WHERE filings.mailbox = marks.mailbox AND filings.uid = marks.uid)`,
    advice: restore,
  },
  {
    fault: 'mailbox-missing',
    sql: `SELECT DISTINCT 'mailbox ' || mailbox FROM filings WHERE NOT EXISTS
      (SELECT 1 FROM mailboxes WHERE id = mailbox UNION ALL SELECT 1 FROM graves WHERE graves.mailbox = filings.mailbox)`,
    advice: report,
  },
  {
    fault: 'account-missing',
    sql: `SELECT 'mailbox ' || id FROM mailboxes WHERE account NOT IN (SELECT id FROM accounts)
      OR account NOT IN (SELECT account FROM usage)`,
    advice: report,
  },
  {
    fault: 'counter-wrong',
    sql: `SELECT 'message ' || id FROM messages LEFT JOIN (
        SELECT message, count(*) AS count FROM (SELECT message FROM filings UNION ALL SELECT message FROM ghosts
          UNION ALL SELECT message FROM queue) GROUP BY message) ON message = id
      WHERE refs <> coalesce(count, 0)`,
    advice: report,
  },
  {
    fault: 'content-missing',
    sql: `SELECT 'message ' || message FROM (SELECT message FROM filings UNION SELECT message FROM queue) AS needed
      WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = needed.message)
        OR NOT EXISTS (SELECT 1 FROM contents WHERE contents.message = needed.message)`,
    advice: restore,
  },
  {
    fault: 'content-missing',
    sql: `SELECT 'message ' || message FROM contents
      WHERE file IS NULL AND (body IS NULL OR length(body) <> body_size)`,
    advice: restore,
  },
  {
    fault: 'queue-lane-missing',
    sql: `SELECT 'queue entry ' || id FROM queue WHERE lease_until IS NULL AND held = 0 AND NOT EXISTS
      (SELECT 1 FROM lanes WHERE lanes.destination = queue.destination AND lanes.retry = queue.retry
        AND lanes.due_at <= queue.due_at)`,
    advice: 'restart the server: lanes are made anew at start',
  },
  {
    fault: 'counter-wrong',
    sql: `SELECT 'mailbox ' || id || ', log' FROM mailboxes LEFT JOIN (
        SELECT mailbox, max(modseq) AS modseq, max(last) AS uid,
          sum(CASE WHEN expunged = 1 THEN last - first + 1 END) AS count FROM changes GROUP BY mailbox) AS logged
        ON logged.mailbox = id
      WHERE logged.modseq > highest_modseq OR logged.uid >= uid_next OR expunges <> coalesce(logged.count, 0)`,
    advice: report,
  },
  {
    fault: 'counter-wrong',
    sql: `SELECT 'ids of messages' WHERE (SELECT max(id) FROM messages) >= (SELECT coalesce(max(reserved), 0) FROM counters WHERE owner = 0)
      UNION ALL SELECT 'ids of queue entries'
        WHERE (SELECT max(id) FROM queue) >= (SELECT coalesce(max(reserved), 0) FROM counters WHERE owner = -1)
      UNION ALL SELECT 'UIDVALIDITY'
        WHERE (SELECT max(uid_validity) FROM mailboxes) >= (SELECT coalesce(max(reserved), 0) FROM counters WHERE owner = -2)`,
    advice: report,
  },
  {
    fault: 'uidvalidity-twice',
    sql: `SELECT 'mailbox ' || max(id) FROM mailboxes GROUP BY uid_validity HAVING count(*) > 1`,
    advice: report,
  },
  {
    fault: 'size-wrong',
    sql: `SELECT 'mailbox ' || mailbox || ', UID ' || uid FROM filings JOIN contents USING (message)
      WHERE size <> length(delivery) + length(header) + body_size`,
    advice: report,
  },
  {
    fault: 'size-wrong',
    sql: `SELECT 'message ' || id FROM messages JOIN contents ON message = id WHERE messages.body_size <> contents.body_size`,
    advice: report,
  },
  {
    fault: 'content-unneeded',
    sql: `SELECT 'message ' || id FROM messages WHERE refs < 1
      UNION ALL SELECT 'message ' || message FROM contents WHERE message NOT IN (SELECT id FROM messages)`,
    advice: report,
  },
  {
    fault: 'content-shared',
    sql: `SELECT 'file ' || file FROM contents WHERE file IS NOT NULL GROUP BY file HAVING count(*) > 1`,
    advice: report,
  },
  {
    fault: 'mailbox-missing',
    sql: `SELECT DISTINCT 'mailbox ' || mailbox FROM (SELECT mailbox FROM ghosts UNION SELECT mailbox FROM changes UNION SELECT mailbox FROM marks)
      AS kept WHERE NOT EXISTS (SELECT 1 FROM mailboxes WHERE id = kept.mailbox UNION ALL SELECT 1 FROM graves WHERE graves.mailbox = kept.mailbox)`,
    advice: report,
  },
  {
    fault: 'account-missing',
    sql: `SELECT 'usage of account ' || account FROM usage WHERE account NOT IN (SELECT id FROM accounts)
      UNION ALL SELECT 'credential ' || id FROM credentials WHERE account NOT IN (SELECT id FROM accounts)
      UNION ALL SELECT 'subscription of account ' || account FROM subscriptions WHERE account NOT IN (SELECT id FROM accounts)
      UNION ALL SELECT 'address of account ' || account FROM send_as WHERE account NOT IN (SELECT id FROM accounts)`,
    advice: report,
  },
  {
    fault: 'alias-wrong',
    sql: `SELECT 'alias ' || address FROM aliases WHERE NOT json_valid(targets)
        OR (SELECT count(*) FROM alias_targets WHERE alias_targets.address = aliases.address) <>
          (SELECT count(DISTINCT value) FROM json_each(CASE WHEN json_valid(targets) THEN targets ELSE '[]' END))
      UNION ALL SELECT 'alias ' || address FROM alias_targets WHERE address NOT IN (SELECT address FROM aliases)`,
    advice: report,
  },
  {
    fault: 'row-unreadable',
    sql: `SELECT 'mailbox ' || id FROM mailboxes WHERE NOT json_valid(keywords)
      UNION ALL SELECT 'queue entry ' || id FROM queue WHERE NOT json_valid(recipients) OR NOT json_valid(envelope)
      UNION ALL SELECT 'journey ' || journey FROM flow WHERE NOT json_valid(events)`,
    advice: restore,
  },
]
