//! grantor
fn main(){}
