//! What the suites share: the facts about the running demo, a report, a person who fills in pages, and plain OAuth requests.

pub mod apply;
pub mod demo;
pub mod http;
pub mod page;
pub mod person;
pub mod pkce;
pub mod report;
pub mod request;
