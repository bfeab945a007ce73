/** What a newcomer sees who types `pennypost` and nothing else. */
export function firstScreen(verbs: Readonly<Record<string, { summary: string }>>): string {
  const width = Math.max(...Object.keys(verbs).map((name) => name.length)) + 2
  const rows = Object.entries(verbs).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`)
  return `Pennypost, a whole post office in one program: SMTP in and out, mailboxes, POP3, IMAP.

Try it, on this machine only:
  pennypost serve --demo                      two accounts and lines to copy

For a domain of your own:
  pennypost init --domain example.org         writes the configuration, prints the DNS records
  pennypost serve                             runs it
  pennypost account add alice@example.org     another account
  pennypost status                            what is wrong and what to do

Verbs, each with --help:
${rows.join('\n')}

All but sendmail take --json, and all but init --config FILE. They end with 0 when it is done or all is well, 1 when it
failed or the answer is no, 2 when it was not understood; sendmail as sysexits.h has it.
`
}
