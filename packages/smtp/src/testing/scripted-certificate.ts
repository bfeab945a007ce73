/**
 * Key and self-signed certificate of the scripted server, for scripted.test, localhost and 127.0.0.1, valid until 2126.
 * It protects nothing: its key is public. Tests trust it by giving `certificate` as `ca`.
 */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbZTeWBYImdxWqZsa
flj0eySQJDXof5A1YAmPpcOxmzmhRANCAATB0tQknnGD0uRoiJm5wXrLcShdbgss
VKG4fTAP4mD0/4ooEQLpbRaYaMlOAgXVl43gaFbuF6zOOrf9bPj8SAZQ
-----END PRIVATE KEY-----
`

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBsjCCAVigAwIBAgIUWtYzzQJjJfA9VVKeN95brnYCXaswCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNc2NyaXB0ZWQudGVzdDAgFw0yNjExMjMyMjUxNDNaGA8yMTI2
MTAzMDIyNTE0M1owGDEWMBQGA1UEAwwNc2NyaXB0ZWQudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABMHS1CSecYPS5GiImbnBestxKF1uCyxUobh9MA/iYPT/
iigRAultFphoyU4CBdWXjeBoVu4XrM46t/1s+PxIBlCjfjB8MB0GA1UdDgQWBBQY
RdGA2k2vt5xyfQcaSQ1lu2ujxjAfBgNVHSMEGDAWgBQYRdGA2k2vt5xyfQcaSQ1l
u2ujxjAPBgNVHRMBAf8EBTADAQH/MCkGA1UdEQQiMCCCDXNjcmlwdGVkLnRlc3SC
CWxvY2FsaG9zdIcEfwAAATAKBggqhkjOPQQDAgNIADBFAiEAiEvTq9vWLxJ0tw4W
LSyVhpGzc7JuT6m7CEXNH59188cCIH3PcK5Qqinfhgtr2fuFqIMcBYsGGdF8wEfT
4T1i1paN
-----END CERTIFICATE-----
`
