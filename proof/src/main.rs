//! What is done to Grantor to see that nothing acknowledged is lost and nothing is spent twice.

fn main() {}
