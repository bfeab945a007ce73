"""Mail through Python's own clients; run by python.test.ts with the ports as JSON. Ends with 0 when all went well."""

import imaplib
import json
import poplib
import smtplib
import ssl
import sys

ports = json.loads(sys.argv[1])
host, sender, reader, password = "127.0.0.1", "alice@one.test", "bob@one.test", "secret"
trusting = ssl.create_default_context()
trusting.check_hostname = False
trusting.verify_mode = ssl.CERT_NONE


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def ok(response):
    status, data = response
    same(status, "OK")
    return data


letter = "From: alice@one.test\r\nSubject: from Python\r\n\r\n.\r\n..\r\nGr\u00fc\u00dfe\r\n".encode()

with smtplib.SMTP(host, ports["submission"]) as smtp:
    smtp.starttls(context=trusting)
    smtp.login(sender, password)
    refused = smtp.sendmail(sender, [reader, "nobody@one.test"], letter, mail_options=["BODY=8BITMIME"])
    same({address: code for address, (code, _) in refused.items()}, {"nobody@one.test": 550})
    try:
        smtp.sendmail("mallory@one.test", [reader], letter)
        raise AssertionError("sent as somebody else")
    except smtplib.SMTPSenderRefused as error:
        same(error.smtp_code // 100, 5)
    same(smtp.noop()[0], 250)

with smtplib.LMTP(host, ports["lmtp"]) as lmtp:
    same(lmtp.sendmail("x@elsewhere.test", [reader], letter), {})

imap = imaplib.IMAP4(host, ports["imap"])
imap.starttls(ssl_context=trusting)
ok(imap.login(reader, password))
same(ok(imap.select("INBOX")), [b"2"])
same(ok(imap.search(None, "SUBJECT", '"from Python"')), [b"1 2"])
content = ok(imap.fetch("1", "(BODY.PEEK[])"))[0][1]
same(content.endswith(letter), True)
same(ok(imap.fetch("1", "(BODY.PEEK[TEXT]<3.4>)"))[0][1], b"..\r\n")
ok(imap.append("Drafts", r"(\Draft)", '"01-Feb-2020 10:00:00 +0200"', letter))
same(ok(imap.status("Drafts", "(MESSAGES UIDNEXT)")), [b"Drafts (MESSAGES 1 UIDNEXT 2)"])
ok(imap.create("Work/2026"))
ok(imap.uid("COPY", "1", "Work/2026"))
same(ok(imap.status("Work/2026", "(MESSAGES)")), [b"Work/2026 (MESSAGES 1)"])

pop3 = poplib.POP3(host, ports["pop3"])
pop3.stls(context=trusting)
pop3.user(reader)
pop3.pass_(password)
same(pop3.stat()[0], 2)
same(b"".join(line + b"\r\n" for line in pop3.retr(1)[1]), content)
same(len(pop3.uidl()[1]), 2)
pop3.dele(1)
pop3.rset()
pop3.dele(2)
pop3.quit()

ok(imap.noop())
same(ok(imap.search(None, "ALL")), [b"1"])
ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
# imaplib gives what it was told since it was asked last: the other session removed 2.
same(ok(imap.expunge()), [b"2", b"1"])
imap.logout()
