//! Client certificates (RFC 8705 2; RFC 9440).
