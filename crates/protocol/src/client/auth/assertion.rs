//! Client assertions (RFC 7523 2.2, 3; OpenID Connect Core 9).
