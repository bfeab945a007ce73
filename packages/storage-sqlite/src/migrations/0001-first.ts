import type { Migration } from './list.ts'

/**
 * The first schema. Narrow tables for what is scanned and changed in bulk (marks), wide ones for what is read by key.
 * Nothing declares foreign keys: each costs a lookup per row on the hottest paths, and `check()` looks for what they
 * would have forbidden.
 */
export const first: Migration = {
  version: 1,
  sql: `
    CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

    -- owner > 0: MODSEQs of that account; 0: message ids; -1: queue entry ids; -2: UIDVALIDITYs. See writer/reserved-numbers.ts.
    CREATE TABLE counters (owner INTEGER PRIMARY KEY, reserved INTEGER NOT NULL) STRICT;

    CREATE TABLE domains (
      name TEXT PRIMARY KEY, kind TEXT NOT NULL, target TEXT NOT NULL, catch_all TEXT NOT NULL,
      verify_recipients INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE accounts (
      id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, domain TEXT NOT NULL, name TEXT NOT NULL,
      quota INTEGER NOT NULL, suspended INTEGER NOT NULL, admin INTEGER NOT NULL, copy_sent INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL, disabled_capabilities TEXT NOT NULL DEFAULT '[]', removed_at INTEGER
    ) STRICT;
    CREATE INDEX accounts_domain ON accounts (domain, login);
    CREATE INDEX accounts_admin ON accounts (id) WHERE admin = 1 AND removed_at IS NULL;
    CREATE INDEX accounts_removed ON accounts (removed_at) WHERE removed_at IS NOT NULL;

    -- What changes with every message, apart from what administrators set.
    CREATE TABLE usage (
      account INTEGER PRIMARY KEY, octets INTEGER NOT NULL, messages INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE aliases (
      address TEXT PRIMARY KEY, domain TEXT NOT NULL, targets TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX aliases_domain ON aliases (domain);
    CREATE TABLE alias_targets (
      target TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (target, address)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alias_targets_address ON alias_targets (address);

    CREATE TABLE send_as (
      account INTEGER NOT NULL, address TEXT NOT NULL, PRIMARY KEY (account, address)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE credentials (
      id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
      scope TEXT NOT NULL, verifier TEXT NOT NULL, scram TEXT, created_at INTEGER NOT NULL, last_used_at INTEGER
    ) STRICT;
    CREATE INDEX credentials_account ON credentials (account);
    CREATE INDEX credentials_app ON credentials (verifier) WHERE kind = 'app';

    CREATE TABLE mailboxes (
      id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, name TEXT NOT NULL, special_use TEXT,
      uid_validity INTEGER NOT NULL, uid_next INTEGER NOT NULL, highest_modseq INTEGER NOT NULL,
      messages INTEGER NOT NULL, unseen INTEGER NOT NULL, deleted INTEGER NOT NULL, recent_uid INTEGER NOT NULL,
      size INTEGER NOT NULL, keywords TEXT NOT NULL, expunges INTEGER NOT NULL, expunge_floor INTEGER NOT NULL, change_floor INTEGER NOT NULL,
      UNIQUE (account, name)
    ) STRICT;
    -- Mailboxes that are gone and whose rows are still being taken away, piece by piece.
    CREATE TABLE graves (mailbox INTEGER PRIMARY KEY) STRICT;

    CREATE TABLE subscriptions (
      account INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;

    -- Who may do what with a mailbox beside its owner; grantee 0: anyone.
    CREATE TABLE acl (
      mailbox INTEGER NOT NULL, grantee INTEGER NOT NULL, negative INTEGER NOT NULL, rights TEXT NOT NULL,
      PRIMARY KEY (mailbox, grantee, negative)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX acl_grantee ON acl (grantee);
    -- What accounts have seen in mailboxes of others, and of how many messages there they have; MODSEQs are the owner's.
    CREATE TABLE seen (
      mailbox INTEGER NOT NULL, viewer INTEGER NOT NULL, uid INTEGER NOT NULL, seen INTEGER NOT NULL,
      modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, viewer, uid)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX seen_modseq ON seen (mailbox, viewer, modseq);
    CREATE TABLE viewers (
      mailbox INTEGER NOT NULL, viewer INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (mailbox, viewer)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX viewers_viewer ON viewers (viewer);

    -- mailbox 0: the server; account 0: shared; payer: whose they count for; value NULL: taken away at modseq.
    CREATE TABLE annotations (
      mailbox INTEGER NOT NULL, account INTEGER NOT NULL, entry TEXT NOT NULL, payer INTEGER NOT NULL, value BLOB,
      modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, account, entry)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX annotations_payer ON annotations (payer, account);

    -- What an open mailbox needs of every message, and what STORE changes: nothing else is in these rows.
    CREATE TABLE marks (
      mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL, modseq INTEGER NOT NULL,
      PRIMARY KEY (mailbox, uid)
    ) STRICT, WITHOUT ROWID;

    -- The change log: UID ranges whose flags a transaction changed, or that it expunged. An index of marks by modseq would say the same and cost
    -- two B-tree operations for every row of STORE 1:*; this costs one for every range.
    CREATE TABLE changes (
      mailbox INTEGER NOT NULL, expunged INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL,
      last INTEGER NOT NULL, PRIMARY KEY (mailbox, expunged, modseq, first)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE filings (
      mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, message INTEGER NOT NULL, size INTEGER NOT NULL,
      internal_at INTEGER NOT NULL, internal_offset INTEGER NOT NULL, saved_at INTEGER NOT NULL, uidl TEXT NOT NULL,
      journey TEXT, delivery BLOB NOT NULL, PRIMARY KEY (mailbox, uid)
    ) STRICT, WITHOUT ROWID;
    -- Expunged filings that a session still reads (pins). Emptied at start.
    CREATE TABLE ghosts (
      mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, message INTEGER NOT NULL, size INTEGER NOT NULL,
      internal_at INTEGER NOT NULL, internal_offset INTEGER NOT NULL, saved_at INTEGER NOT NULL, uidl TEXT NOT NULL,
      journey TEXT, delivery BLOB NOT NULL,
      expunged_modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, uid)
    ) STRICT, WITHOUT ROWID;

    -- refs: filings, ghosts and queue entries that need the message. traits: 1 header has octets above 127,
    -- 2 body has, 4 reply or forward, 8 does not end in CRLF.
    CREATE TABLE messages (
      id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, body_size INTEGER NOT NULL, traits INTEGER NOT NULL, sent_at INTEGER, sent_day INTEGER,
      envelope TEXT NOT NULL, structure TEXT NOT NULL, parts TEXT NOT NULL, base_subject TEXT NOT NULL,
      sort_from TEXT NOT NULL, sort_to TEXT NOT NULL, sort_cc TEXT NOT NULL, display_from TEXT NOT NULL,
      display_to TEXT NOT NULL, message_id TEXT NOT NULL, thread_ids TEXT NOT NULL, preview TEXT NOT NULL
    ) STRICT;
    CREATE INDEX messages_open_end ON messages (id) WHERE traits & 8;
    -- The octets: body inline, or in a file from body_start on.
    CREATE TABLE contents (
      message INTEGER PRIMARY KEY, file TEXT, body_start INTEGER NOT NULL, body_size INTEGER NOT NULL,
      header BLOB NOT NULL, body BLOB
    ) STRICT;
    CREATE INDEX contents_file ON contents (file) WHERE file IS NOT NULL;

    -- lease_until is null for who has none, and where a claim has seen that the lease ran out: it still settles.
    CREATE TABLE queue (
      id INTEGER PRIMARY KEY, destination TEXT NOT NULL, retry INTEGER NOT NULL, due_at INTEGER NOT NULL,
      held INTEGER NOT NULL, lease TEXT, lease_until INTEGER, attempts INTEGER NOT NULL, journey TEXT NOT NULL,
      message INTEGER NOT NULL, route TEXT NOT NULL, accepted_at INTEGER NOT NULL, size INTEGER NOT NULL,
      message_id TEXT NOT NULL, envelope TEXT NOT NULL, recipients TEXT NOT NULL
    ) STRICT;
    CREATE INDEX queue_ready ON queue (destination, retry, due_at) WHERE lease_until IS NULL AND held = 0;
    CREATE INDEX queue_leased ON queue (destination) WHERE lease_until IS NOT NULL;
    CREATE INDEX queue_lease_until ON queue (lease_until) WHERE lease_until IS NOT NULL;
    CREATE INDEX queue_held ON queue (held) WHERE held = 1;
    CREATE INDEX queue_journey ON queue (journey);
    CREATE INDEX queue_accepted ON queue (accepted_at);
    -- One row per (destination, first attempts or retries) with entries neither leased nor held: what round robin
    -- goes over, so that a claim costs what it gives and not what waits. Ready: something in it is due.
    CREATE TABLE lanes (
      destination TEXT NOT NULL, retry INTEGER NOT NULL, due_at INTEGER NOT NULL, ready INTEGER NOT NULL,
      PRIMARY KEY (destination, retry)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX lanes_due ON lanes (due_at);
    CREATE INDEX lanes_waiting ON lanes (retry, due_at) WHERE ready = 0;
    CREATE INDEX lanes_ready ON lanes (retry, destination) WHERE ready = 1;

    -- One row per record call; the first row of a journey has began_at.
    CREATE TABLE flow (
      id INTEGER PRIMARY KEY, journey TEXT NOT NULL, began_at INTEGER, message_id TEXT, transcript_at INTEGER,
      fingerprint TEXT, unconfirmed_at INTEGER, events TEXT NOT NULL
    ) STRICT;
    CREATE INDEX flow_journey ON flow (journey);
    CREATE INDEX flow_began ON flow (began_at, journey) WHERE began_at IS NOT NULL;
    CREATE INDEX flow_message_id ON flow (message_id) WHERE message_id IS NOT NULL;
    CREATE INDEX flow_transcript ON flow (transcript_at) WHERE transcript_at IS NOT NULL;
    CREATE INDEX flow_unconfirmed ON flow (fingerprint) WHERE unconfirmed_at IS NOT NULL;

    CREATE TABLE memory (
      kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, count INTEGER NOT NULL, first_at INTEGER NOT NULL,
      last_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX memory_expiry ON memory (expires_at);
  `,
}
