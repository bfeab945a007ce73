/**
 * What the checks found out about a message and who brings it. A finding states facts; what follows from them is the
 * judge's business. Findings are plain values: they go into the journey as they are and can be judged again with one
 * of them changed.
 *
 * Who uses it: the checks make them, the judge and `authenticationResults` read them, reception records them.
 */

/** `unavailable`: not known by the deadline, or the check itself failed. Never the sender's fault. */
export type Unavailable = 'unavailable'

interface Base {
  /** For people: what decided it, without line ends. May quote names that strangers chose. */
  detail: string
}

/** RFC 8601 §2.7.2, RFC 7208 §2.6. */
export interface SpfFinding extends Base {
  check: 'spf'
  result: 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror' | Unavailable
  /** With a null reverse-path the HELO name stands in for the mailbox's domain (RFC 7208 §2.4). */
  identity: 'mailfrom' | 'helo'
  /** In A-labels; '' if there is none. */
  domain: string
}

export type DkimResult = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'

export interface DkimSignature {
  /** `policy`: good, but not by our rules (rsa-sha1, a short key, what l= or h= leaves open to others). */
  result: Exclude<DkimResult, 'none'>
  /** d=, in lower case. */
  domain: string
  selector: string
  algorithm: string
  /** The first eight characters of b=, which tell signatures apart (RFC 8601 §2.7.1). */
  start: string
  detail: string
}

export interface DkimFinding extends Base {
  check: 'dkim'
  /** Of the best signature. */
  result: DkimResult | Unavailable
  /** In the order of the header section, at most as many as the limit allows. */
  signatures: readonly DkimSignature[]
}

/** RFC 8617. Its weight is zero: it is recorded, and no row of the judge looks at it. */
export interface ArcFinding extends Base {
  check: 'arc'
  result: 'none' | 'pass' | 'fail' | Unavailable
  /** d= of the newest seal; '' without one. */
  sealer: string
  /** Number of the newest set. */
  instance: number
}

export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

export interface DmarcFinding extends Base {
  check: 'dmarc'
  /** `permerror`: the message has no single author domain (RFC 9989 §5.3.1). */
  result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror' | Unavailable
  /** Of the From field; '' if there is no single one. */
  authorDomain: string
  /** Where the record stands that applies; '' without one. */
  policyDomain: string
  /** What the record asks for, `np`, `sp` and `t=y` already applied. */
  policy: DmarcPolicy
  /** Which identifiers belong to the author domain's organization, whether they passed or not. */
  alignment: Alignment
}

export interface Alignment {
  spf: Aligned
  /** In the order of the signatures. */
  dkim: readonly Aligned[]
}

/** `unknown`: DNS did not say. */
export type Aligned = 'yes' | 'no' | 'unknown'

/** RFC 8601 §3 (iprev). */
export interface ReverseDnsFinding extends Base {
  check: 'reverse-dns'
  /** `permerror`: the address has no name; `fail`: none of its names has the address. */
  result: 'pass' | 'fail' | 'temperror' | 'permerror' | Unavailable
  address: string
  /** The first confirmed name; '' without one. */
  name: string
}

export interface DnsListFinding extends Base {
  check: 'dnsbl' | 'dnswl'
  result: 'listed' | 'not-listed' | Unavailable
  /** The list's zone. */
  zone: string
  address: string
  /** The addresses that the list answered with. */
  codes: readonly string[]
}

/** Whether the name in EHLO can be the client's (RFC 5321 §4.1.4). */
export interface HeloFinding extends Base {
  check: 'helo'
  /** `fail`: the client gives itself our own name or address; `neutral`: no name that a mail server would have. */
  result: 'pass' | 'neutral' | 'fail'
  helo: string
}

/** How much a sender, a recipient or a network had in the last hour. */
export interface RateFinding extends Base {
  check: 'rate'
  result: 'within' | 'exceeded' | Unavailable
  /** Whose: `sender`, `recipient` or `network`. */
  of: string
  /** Seconds until it may go on; 0 when nothing is exceeded. */
  retryAfterSeconds: number
}

/** Has this origin waited before? */
export interface GreylistFinding extends Base {
  check: 'greylist'
  /** `known`: it need not wait; `waited`: it has, long enough; `wait`: it has to. */
  result: 'known' | 'waited' | 'wait' | Unavailable
  retryAfterSeconds: number
}

/** What a virus scanner says. */
export interface VirusFinding extends Base {
  check: 'virus'
  /** `skipped`: the message is larger than what it is shown. */
  result: 'clean' | 'infected' | 'skipped' | Unavailable
  /** Of the filter that was asked. */
  filter: string
  /** The scanner's name for what it found; '' for nothing. */
  signature: string
}

/** What a spam filter or a hook of the postmaster says is to be done. */
export interface FilterFinding extends Base {
  check: 'spam' | 'hook'
  result: 'accept' | 'quarantine' | 'defer' | 'reject' | 'skipped' | Unavailable
  filter: string
  /** What the client is to be told; '' leaves it to the judge. */
  text: string
}

export type Finding =
  | SpfFinding
  | DkimFinding
  | ArcFinding
  | DmarcFinding
  | ReverseDnsFinding
  | DnsListFinding
  | HeloFinding
  | RateFinding
  | GreylistFinding
  | VirusFinding
  | FilterFinding
