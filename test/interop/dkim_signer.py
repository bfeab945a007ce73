"""Signs and seals with dkimpy and verifies with it; run by dkim.test.ts with ports and DKIM records as JSON. Ends with 0 when all went well."""

import imaplib
import json
import re
import smtplib
import socket
import ssl
import sys
import time

import dkim

given = json.loads(sys.argv[1])
ports, records, host = given["ports"], given["records"], "127.0.0.1"
key = open("key.pem", "rb").read()
trusting = ssl.create_default_context()
trusting.check_hostname = False
trusting.verify_mode = ssl.CERT_NONE

bodies = {
    "plain": b"hello\r\n",
    "empty": b"",
    "empty lines": b"\r\n\r\n\r\n",
    "an empty line first": b"\r\nhello\r\n",
    "white space": b"hello  \r\n\r\nx \t y\r\n\r\n\r\n",
    "8 bit": "Gr\u00fc\u00dfe\r\n".encode(),
    "dots": b".\r\n..\r\n.x\r\n",
    "large": b"a line of text\r\n" * 100_000,
}


def letter(sender, subject, body):
    return b"From: %s\r\nTo: bob@one.test\r\nSubject: %s,\r\n\tfolded  twice\r\n\r\n%s" % (sender, subject, body)


def dns(name, timeout=5):
    return records.get((name if isinstance(name, str) else name.decode()).rstrip("."), "").encode()


def bring(message, recipient="bob@one.test", helo="two.test"):
    """As a stranger brings it: through a proxy, at the address 203.0.113.5."""
    smtp = smtplib.SMTP()
    smtp.sock = socket.create_connection((host, ports["smtp"]))
    smtp.sock.sendall(b"PROXY TCP4 203.0.113.5 127.0.0.1 40000 25\r\n")
    smtp.getreply()
    smtp.ehlo(helo)
    smtp.mail("carol@two.test", ["BODY=8BITMIME"])
    smtp.rcpt(recipient)
    reply = smtp.data(message)
    smtp.quit()
    return reply


for body in bodies.values():
    for header_form in (b"relaxed", b"simple"):
        for body_form in (b"relaxed", b"simple"):
            message = letter(b"carol@two.test", b"signed", body)
            signature = dkim.sign(message, b"s", b"two.test", key, canonicalize=(header_form, body_form))
            code, text = bring(signature + message)
            # Its policy is to reject what is not signed: SPF has no word for it.
            assert code == 250, (code, text, body[:20], header_form, body_form)
            code, text = bring(signature + message + b"more\r\n")
            assert code == 550, (code, text, body[:20], header_form, body_form)

# What goes on for an alias: with the chain of a list, and with none.
chains = 0
for body in bodies.values():
    message = letter(b"carol@two.test", b"sealed", body)
    message = dkim.sign(message, b"s", b"two.test", key) + message
    for sets in (0, 1, 2):
        code, text = bring(message, "out@one.test")
        assert code == 250, (code, text, body[:20], sets)
        chains += 1
        name, chain = b"list%d.test" % sets, b"none" if sets == 0 else b"pass"
        message = b"Authentication-Results: %s; arc=%s; dkim=pass header.d=two.test\r\n" % (name, chain) + message
        message = b"".join(dkim.arc_sign(message, b"s", b"two.test", key, name)) + message

with smtplib.SMTP(host, ports["submission"]) as smtp:
    smtp.starttls(context=trusting)
    smtp.login("alice@one.test", "secret")
    for body in bodies.values():
        smtp.sendmail("alice@one.test", ["bob@one.test"], letter(b"alice@one.test", b"ours", body), ["BODY=8BITMIME"])

with imaplib.IMAP4_SSL(host, ports["imaps"], ssl_context=trusting) as imap:
    imap.login("bob@one.test", "secret")
    imap.select("INBOX", readonly=True)
    found = imap.search(None, "SUBJECT", "ours")[1][0].split()
    assert len(found) == len(bodies), found
    for number in found:
        message = imap.fetch(number, "(BODY.PEEK[])")[1][0][1]
        signatures = len(re.findall(rb"(?im)^dkim-signature:", message))
        verified = [dkim.DKIM(message).verify(idx=index, dnsfunc=dns) for index in range(signatures)]
        assert verified == [True, True], (verified, message[:2000])
    found = imap.search(None, "SUBJECT", "signed")[1][0].split()
    for number in found:
        field = imap.fetch(number, "(BODY.PEEK[HEADER.FIELDS (Authentication-Results)])")[1][0][1]
        assert b"dkim=pass" in field and b"dmarc=pass" in field, field
    assert len(found) == 4 * len(bodies), found

with imaplib.IMAP4_SSL(host, ports["far"], ssl_context=trusting) as imap:
    imap.login("dave@far.test", "secret")
    for _ in range(600):
        imap.select("INBOX", readonly=True)
        found = imap.search(None, "ALL")[1][0].split()
        if len(found) == chains:
            break
        time.sleep(0.1)
    assert len(found) == chains, found
    lengths = []
    for number in found:
        message = imap.fetch(number, "(BODY.PEEK[])")[1][0][1]
        status, sets, reason = dkim.arc_verify(message, dnsfunc=dns)
        assert status == dkim.CV_Pass and sets[0]["as-domain"] == b"one.test", (status, reason, message[:4000])
        lengths.append(len(sets))
    assert sorted(lengths) == sorted([1, 2, 3] * len(bodies)), lengths
