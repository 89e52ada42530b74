//! What the suites share: the facts about the running demo, a report, a person who fills in pages, plain OAuth requests, and a
//! ledger of what a server that dies had acknowledged.

pub mod apply;
pub mod demo;
pub mod home;
pub mod http;
pub mod ledger;
pub mod page;
pub mod person;
pub mod pkce;
pub mod report;
pub mod request;
