//! Whether those who sign in with passwords keep the token endpoint waiting.

use super::{Scale, Section, verdict};
use crate::affinity::{Core, pin};
use crate::failure::{Result, broken};
use crate::http;
use crate::load::{Cycle, Load, Outcome, Script};
use crate::measure::median;
use crate::path::credentials_of;
use crate::site::{Api, Browser, Population, Site, username};
use std::time::Duration;

/// People who sign in, each again and again; as many addresses.
const PEOPLE: u64 = 16;
/// By how much longer they sign in than tokens are asked for: they begin before and end after.
const WITH_MARGIN: Duration = Duration::from_millis(600);
/// How busy the token endpoint is beside them, of what it can do alone: with less than all of it a stall is seen that 64
/// connections, which wait for one another anyhow, hide.
const BUSY: [f64; 3] = [0.10, 0.25, 1.0];
const ENDED_BADLY: &str = "the load of sign-ins ended badly";

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let site = Site::new("passwords")?;
    drop(site.start()?);
    Population { users: PEOPLE, ..Population::default() }.put(&site)?;
    let mut section = Section::new(
        "Passwords beside tokens",
        "Sixteen people sign in with passwords (argon2id) as fast as they can, on the same core. Beside them 64 connections ask for \
         opaque tokens with client credentials: at a tenth and at a quarter of what they get at the most, so that a stall is \
         seen, and as fast as they are answered, as in the table of paths. Wanted: p99 at most twice that without sign-ins.",
        &[
            "token requests",
            "tokens/s alone",
            "tokens/s beside",
            "sign-ins/s",
            "p50 ms alone",
            "p99 ms alone",
            "p50 ms beside",
            "p99 ms beside",
            "times",
            "verdict",
        ],
    );
    pin(Core::Load);
    let server = site.start()?;
    let mut tokens = Cycle::new(vec![credentials_of("machine", Api::Opaque)]);
    let time = scale.pace.slice;
    let most = Load::closed(server.address, time).run(&mut tokens)?.rate();
    let forms = forms(&site)?;
    let people = Load {
        connections: usize::try_from(PEOPLE)?,
        warm: Duration::ZERO,
        time: time + WITH_MARGIN,
        awake: false,
        ..Load::closed(server.address, time)
    };
    let before = server.cpu()?;
    let undisturbed = people.run(&mut People(forms.clone()))?;
    section.broken.extend(not_just_busy(&undisturbed));
    let each = server.cpu()?.saturating_sub(before).as_secs_f64() / undisturbed.good().max(1) as f64;
    section.figure("sign_in.cpu", each);
    section.notes.push(format!("alone: {:.1} sign-ins/s, {:.1} ms of processor each", undisturbed.rate(), each * 1e3));
    for busy in BUSY {
        let rate = (busy < 1.0).then_some(most * busy);
        let arriving = Load { rate, ..Load::closed(server.address, time) };
        let (mut alone, mut beside, mut signed_in) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..scale.pace.rounds {
            alone.push(arriving.run(&mut tokens)?);
            let (tokens, people) = std::thread::scope(|scope| {
                let people = scope.spawn(|| people.run(&mut People(forms.clone())));
                // They are at work before anything counts.
                std::thread::sleep(Duration::from_millis(300));
                (arriving.run(&mut tokens), people.join())
            });
            beside.push(tokens?);
            signed_in.push(people.map_err(|_| ENDED_BADLY)??);
        }
        let tokens = alone.iter().chain(&beside).filter_map(|outcome| outcome.complaint("tokens"));
        section.broken.extend(tokens);
        section.broken.extend(signed_in.iter().filter_map(not_just_busy));
        let at = |all: &[Outcome], quantile| {
            Duration::from_secs_f64(median(
                &all.iter().map(|one| one.quantile(quantile).as_secs_f64()).collect::<Vec<_>>(),
            ))
        };
        let times = at(&beside, 0.99).as_secs_f64() / at(&alone, 0.99).as_secs_f64().max(1e-9);
        let rate_of = |all: &[Outcome]| median(&all.iter().map(Outcome::rate).collect::<Vec<_>>());
        section.row([
            if busy < 1.0 { format!("{:.0} %", busy * 100.0) } else { "as fast as answered".to_owned() },
            format!("{:.0}", rate_of(&alone)),
            format!("{:.0}", rate_of(&beside)),
            format!("{:.1}", rate_of(&signed_in)),
            precise(at(&alone, 0.5)),
            precise(at(&alone, 0.99)),
            precise(at(&beside, 0.5)),
            precise(at(&beside, 0.99)),
            format!("{times:.2}"),
            verdict(times <= 2.0),
        ]);
    }
    Ok(section)
}

/// In milliseconds: what is compared here is less than one.
fn precise(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// Beyond a short line people are told to come again: that is no failure.
fn not_just_busy(outcome: &Outcome) -> Option<String> {
    outcome.complaint("sign-ins").filter(|_| outcome.bad() > outcome.busy())
}

/// The sign-in form of each of them, good again and again: it names the browser that it came from, and that stays.
fn forms(site: &Site) -> Result<Vec<Vec<u8>>> {
    let forms: Result<Vec<_>> = (0..PEOPLE)
        .map(|n| {
            let mut browser = Browser::new(site)?;
            let page = browser.follow("/signin")?;
            browser.sign_in_form(&page, &username(n), &[("x-forwarded-for", &format!("192.0.2.{n}"))])
        })
        .collect();
    let forms = forms?;
    for form in &forms {
        let answer = http::Connection::open(site.address)?.call(form)?;
        if answer.status != 303 {
            return broken(format!("nobody signed in: {} {}", answer.status, answer.body));
        }
    }
    Ok(forms)
}

/// A person for each connection.
struct People(Vec<Vec<u8>>);

impl Script for People {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        self.0.get(connection).map(|form| out.extend_from_slice(form)).is_some()
    }
}
