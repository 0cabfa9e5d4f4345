//! The only place where a signature or a token is compared: in constant time.

use subtle::ConstantTimeEq;

/// Whether two codes are the same. How long it takes tells no more than their lengths, which are no secret.
pub(super) fn same(expected: &[u8], received: &[u8]) -> bool {
    !expected.is_empty() && expected.ct_eq(received).into()
}
