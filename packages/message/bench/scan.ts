import { createScanner, scan } from '../src/index.ts'

/** Prints what a scan costs: `node packages/message/bench/scan.ts`. Read CPU time; the machine may be busy. */

const line = 'TWFueSBvZiB0aGUgbW9zdCBpbXBvcnRhbnQgdGhpbmdzIGluIGxpZmUgYXJlIGludmlzaWJsZS4gQQ==\r\n'
const received = Array.from(
  { length: 4 },
  (_, hop) =>
    `Received: from host${hop}.one.test (host${hop}.one.test [192.0.2.${hop}])\r\n\tby mx.two.test with ESMTPS id ${hop}ABCDEF0123456789\r\n\tfor <bob@two.test>; Thu, 26 Nov 2026 09:30:0${hop} +0100\r\n`,
).join('')
const header = `${received}From: =?utf-8?Q?Alice_M=C3=BCller?= <alice@one.test>\r\nTo: Bob <bob@two.test>, "Carol, C." <carol@two.test>\r\nSubject: Re: [list] minutes of the meeting\r\nDate: Thu, 26 Nov 2026 09:30:00 +0100\r\nMessage-ID: <1234567890@one.test>\r\nIn-Reply-To: <0987654321@two.test>\r\nReferences: <1@two.test> <0987654321@two.test>\r\nMIME-Version: 1.0\r\n`
const small = Buffer.from(
  `${header}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'Hello Bob, this is a line of an ordinary letter.\r\n'.repeat(16)}`,
)
const alternative = Buffer.from(
  `${header}Content-Type: multipart/alternative; boundary="=_part"\r\n\r\n--=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${'Hello Bob.\r\n'.repeat(20)}--=_part\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>${'Hello Bob.<br>\r\n'.repeat(20)}--=_part--\r\n`,
)
const large = (lines: number) =>
  Buffer.from(
    `${header}Content-Type: multipart/mixed; boundary="=_outer"\r\n\r\n--=_outer\r\n\r\nSee attachment.\r\n--=_outer\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${line.repeat(lines)}--=_outer--\r\n`,
  )

function measure(name: string, size: number, rounds: number, run: () => unknown): void {
  for (let warm = 0; warm < Math.max(3, rounds / 5); warm++) run()
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++) run()
  const { user, system } = process.cpuUsage(before)
  const micros = (user + system) / rounds
  console.log(
    `${name.padEnd(40)} ${micros.toFixed(1).padStart(10)} µs ${(size / micros / 1000).toFixed(2).padStart(8)} GB/s`,
  )
}

function inChunks(content: Buffer, size: number): void {
  const scanner = createScanner()
  for (let at = 0; at < content.length; at += size) scanner.push(content.subarray(at, at + size))
  scanner.finish().index()
}

const big = large(600_000)
measure(`letter of ${small.length} octets`, small.length, 20_000, () => scan(small).index())
measure(`alternative of ${alternative.length} octets`, alternative.length, 20_000, () => scan(alternative).index())
measure(`attachment, ${big.length >> 20} MB, whole`, big.length, 10, () => scan(big).index())
measure(`attachment, ${big.length >> 20} MB, in 64 KB`, big.length, 10, () => inChunks(big, 65_536))
const text = Buffer.concat([
  small,
  Buffer.from('A line of text as people write it, about so long.\r\n'.repeat(400_000)),
])
measure(`text, ${text.length >> 20} MB, in 64 KB`, text.length, 10, () => inChunks(text, 65_536))
