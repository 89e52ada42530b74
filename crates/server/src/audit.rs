//! Writing the audit log: one line in the store, one in the program's log, and never a secret in either.

use crate::budget::Spent;
use crate::extract::Call;
use crate::failure::failed;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::directory::User;
use grantor_protocol::value::EventId;
use grantor_store::Store;
use serde_json::{Map, Value};
use std::hash::Hash;

/// An event being written.
pub(crate) struct Draft<'a> {
    call: &'a Call,
    event: Event,
    /// Whether somebody who proved who he is stands behind it.
    known: bool,
}

impl Call {
    /// An audit event of this request.
    pub(crate) fn event(&self, action: Action, outcome: Outcome) -> Draft<'_> {
        Draft::new(self, action, outcome)
    }
}

impl Call {
    /// Writes an event of a kind of which many are alike: those of one window that come from one address and have the same
    /// `features` share two lines, the first at once and the number of the others when the window is over.
    pub(crate) fn tally<'a>(&'a self, features: impl Hash, draft: impl FnOnce() -> Draft<'a>) {
        let context = &self.context;
        let features = (self.tenancy.name().as_str(), self.meta.address, features);
        context.tally.count(self.now(), features, || draft().event);
    }
}

impl<'a> Draft<'a> {
    fn new(call: &'a Call, action: Action, outcome: Outcome) -> Self {
        let event = Event {
            id: EventId::new(call.context.world.millis(), call.context.world.random()),
            time: call.now(),
            tenant: call.tenancy.name().clone(),
            action,
            outcome,
            actor: None,
            target: None,
            address: Some(call.meta.address.to_string()),
            request_id: Some(call.meta.request_id.to_string()),
            details: Map::new(),
        };
        Self { call, event, known: false }
    }

    /// Who did it.
    pub(crate) fn actor(mut self, actor: &impl ToString) -> Self {
        self.event.actor = Some(actor.to_string());
        self
    }

    /// The client that did it. A public one may be anybody.
    pub(crate) fn client(mut self, client: &AuthenticatedClient) -> Self {
        self.known = client.get().metadata.is_confidential();
        self.actor(client.id())
    }

    /// The user who did it, signed in.
    pub(crate) fn user(mut self, user: &User) -> Self {
        self.known = true;
        self.actor(&user.sub)
    }

    /// To whom or what.
    pub(crate) fn target(mut self, target: &impl ToString) -> Self {
        self.event.target = Some(target.to_string());
        self
    }

    /// One thing more.
    pub(crate) fn with(mut self, name: &str, value: impl serde::Serialize) -> Self {
        self.event.details.insert(name.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null));
        self
    }

    /// Why it was refused.
    pub(crate) fn reason(self, refusal: &Refusal) -> Self {
        self.with("reason", refusal.to_string())
    }

    /// Writes it with the next commit, without waiting: for what changed nothing that lasts.
    ///
    /// Refusals of strangers beyond their budget are not written: the first of them says so.
    pub(crate) fn write(self) {
        let (call, mut event) = (self.call, self.event);
        if event.outcome == Outcome::Refused && !self.known {
            match call.context.strangers.spend(event.time) {
                Spent::Within => {}
                Spent::FirstBeyond => {
                    event.details.insert("more".to_owned(), "further refusals of this second are left out".into());
                }
                Spent::Beyond => return,
            }
        }
        note(&*call.context.store, event);
    }

    /// The event, for a verb of the store that appends it with what it does. Whoever is told that it did says so ([`say`]).
    pub(crate) fn event(self) -> Event {
        self.event
    }

    /// Writes it and waits until it is durable: what was acknowledged and changed something has its line in the log,
    /// whatever happens next.
    pub(crate) async fn commit(self) -> Result<(), Refusal> {
        say(&self.event);
        self.call.context.store.record(vec![self.event]).await.map_err(|broken| failed(&broken))
    }
}

/// Writes a line with the next commit, and one in the program's log.
pub(crate) fn note(store: &dyn Store, event: Event) {
    say(&event);
    store.note(event);
}

/// The line in the program's log.
pub(crate) fn say(event: &Event) {
    let details = serde_json::to_string(&event.details).unwrap_or_default();
    tracing::info!(
        request_id = event.request_id,
        tenant = %event.tenant,
        action = ?event.action,
        outcome = ?event.outcome,
        actor = event.actor,
        target = event.target,
        details,
        "audit"
    );
}
