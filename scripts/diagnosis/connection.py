"""What an error of Postgres or of Microsoft's ODBC driver means, and what to do about it."""

from __future__ import annotations

import re

CERTIFICATE_SQLSERVER = (
    "Install the certificate authority that signed the server's certificate on this machine. "
    "Only for development: `trust_cert: true` in profiles.yml (TrustServerCertificate=yes)."
)
DRIVER = (
    "`make doctor` says whether the driver of this .venv loads (`odbc driver`). "
    "Another one must have the name that `driver:` in profiles.yml says."
)

# The first pattern that is in the message tells. Messages: libpq and the server (18).
POSTGRES = (
    (
        r"could not translate host name|Name or service not known|nodename nor servname",
        "No host has this name: check the spelling, the DNS and the VPN.",
    ),
    (
        r"certificate verify failed",
        "The server's certificate is signed by nobody this machine knows: put that authority's "
        "certificate into ~/.postgresql/root.crt, or set `sslrootcert`. "
        "Only for development: sslmode=require does not look at it.",
    ),
    (
        r"root certificate file .* does not exist",
        "To verify the server, put the certificate of its authority into ~/.postgresql/root.crt, "
        "or set `sslrootcert` (`system`: the authorities of this machine). "
        "Only for development: sslmode=require does not verify.",
    ),
    (
        r"does not match host name",
        "The certificate is for another name: connect by the name that is in it.",
    ),
    (
        r"server does not support SSL",
        "The server has no TLS and `sslmode` asks for it: switch it on there (ssl = on). "
        "Only for development: sslmode=disable.",
    ),
    (
        r"no pg_hba.conf entry.*no encryption",
        "The server wants TLS (sslmode=require), or has no line for this user in pg_hba.conf.",
    ),
    (
        r"no pg_hba.conf entry",
        "The server does not let this user in from this machine: ask for a line in pg_hba.conf.",
    ),
    (
        r"password authentication failed",
        "Wrong user or password: check both variables; in a URL write special characters as %xx.",
    ),
    (r"no password supplied|fe_sendauth", "The server wants a password: set its variable."),
    (
        r'database ".*" does not exist',
        "The server is right and the database is not there: check its name, or create it.",
    ),
    (r'role ".*" does not exist', "The server does not know this user: check its name."),
    (
        r"too many clients|remaining connection slots",
        "The server has no connection left: lower `threads`, or raise max_connections.",
    ),
    (
        r"timeout expired|timed out|No route to host|Network is unreachable",
        "Nothing answers there: a firewall or a VPN is in the way, or the host is down.",
    ),
    (
        r"Connection refused|No such file or directory",
        "No server listens there: start it, or check host and port.",
    ),
)

# Messages: pyodbc, unixODBC, msodbcsql18 and the server.
SQLSERVER = (
    (
        r"libodbc|iODBC|Library not loaded",
        "The ODBC manager is missing: `apt-get install unixodbc` or `brew install unixodbc`.",
    ),
    (r"Can't open lib|IM002|Data source name not found", DRIVER),
    (
        r"certificate verify failed|certificate chain|self.signed certificate|SSL Provider",
        CERTIFICATE_SQLSERVER,
    ),
    (r"4060|Cannot open database", "The login is right, the database is not: check its name."),
    (r"28000|18456|Login failed", "Wrong user or password: check both variables."),
    (
        r"Name or service not known|No such host|11001|getaddrinfo",
        "No host has this name: check the spelling, the DNS and the VPN.",
    ),
    (
        r"08001|HYT00|Login timeout expired|TCP Provider",
        "No SQL Server answers there: start it, or check server, port and firewall.",
    ),
)


def remedy(message: str, engine: str) -> str:
    """What to do about a failed connection."""
    patterns = POSTGRES if engine == "postgres" else SQLSERVER
    for pattern, advice in patterns:
        if re.search(pattern, message):
            return advice
    return "The message above is all that is known; the server's own log may say more."


def first_line(message: str) -> str:
    """The message in one line: libpq says after a colon what happened, one line per address."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines and lines[0].endswith(":") else (lines or ["no message"])[0]
