//! People and their devices, one by one: when each picks it up, how long, and which requests that makes.
//!
//! A device is a grant. While it is in use it calls APIs; when its access token has expired, the next call refreshes
//! first. That makes refreshes follow use, not a timer, and gives the day its shape.

use super::plan::{Demand, Rate};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What people do. Times in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) devices_of_a_user: f64,
    /// How often a device is picked up.
    sessions_a_day: f64,
    session: f64,
    /// Between two calls of an API while it is in use.
    between_calls: f64,
    access_token: f64,
    /// The part of calls that goes to APIs that introspect, and for how long those remember the answer.
    introspected: f64,
    remembered: f64,
    /// How often a device signs in anew: a new device, a new application, a grant that lapsed.
    sign_ins_a_year: f64,
    /// The part of these that types a password; the others have a session.
    with_password: f64,
    /// Programs that act for themselves, for each user; each asks for a token when its last one ends.
    pub(crate) machines_of_a_user: f64,
    pub(crate) machine_token: f64,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            devices_of_a_user: 2.5,
            sessions_a_day: 6.0,
            session: 420.0,
            between_calls: 20.0,
            access_token: 600.0,
            introspected: 0.2,
            remembered: 60.0,
            sign_ins_a_year: 24.0,
            with_password: 0.25,
            machines_of_a_user: 0.002,
            machine_token: 600.0,
        }
    }
}

impl Habits {
    /// What is assumed, for the page.
    pub(crate) fn words(&self) -> String {
        format!(
            "Assumed: {} devices for each user, each picked up {} times a day for {:.0} minutes on average, an API call every \
             {:.0} s meanwhile, access tokens of {:.0} minutes, {:.0} % of the calls to APIs that introspect and remember the \
             answer for {:.0} s, {:.0} new sign-ins a year on each device, {:.0} % of them with a password, and {} programs for \
             each thousand users that ask for a token every {:.0} minutes. The evening is {:.1} times as busy as the mean.",
            self.devices_of_a_user,
            self.sessions_a_day,
            self.session / 60.0,
            self.between_calls,
            self.access_token / 60.0,
            self.introspected * 100.0,
            self.remembered,
            self.sign_ins_a_year,
            self.with_password * 100.0,
            self.machines_of_a_user * 1000.0,
            self.machine_token / 60.0,
            DAY.iter().copied().fold(0.0, f64::max) / (DAY.iter().sum::<f64>() / 24.0),
        )
    }
}

/// Where they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zones {
    One,
    All,
}

/// How busy each local hour is, in parts of the busiest.
const DAY: [f64; 24] = [
    0.30, 0.18, 0.11, 0.08, 0.08, 0.14, 0.30, 0.52, 0.65, 0.70, 0.72, 0.75, 0.80, 0.78, 0.74, 0.73, 0.76, 0.82, 0.90,
    0.97, 1.00, 0.96, 0.80, 0.52,
];
/// People by time zone, from UTC-12 on, in parts of a thousand (rounded; Asia is most of it).
const PEOPLE: [u32; 24] = [0, 0, 1, 1, 10, 13, 62, 45, 24, 37, 2, 8, 71, 112, 91, 82, 48, 205, 60, 85, 193, 35, 4, 4];
const DAY_SECONDS: f64 = 86_400.0;
/// The first day settles what the second shows.
const DAYS: f64 = 2.0;
const BUCKET: f64 = 300.0;
const BUCKETS: usize = 288;

struct Device {
    /// Hours east of UTC.
    zone: f64,
    session_ends: f64,
    token_ends: f64,
    remembered_until: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    PickedUp,
    Call,
}

/// Milliseconds, so that they can be ordered.
type Event = Reverse<(u64, usize, What)>;

/// What so many devices do on the second day, for each of them.
pub(crate) fn simulate(habits: &Habits, zones: Zones, devices: u32) -> Demand {
    let mut random = Random(0x5EED);
    let mut people: Vec<Device> = (0..devices)
        .map(|_| Device {
            zone: if zones == Zones::One { 0.0 } else { random.zone() },
            session_ends: 0.0,
            token_ends: 0.0,
            remembered_until: 0.0,
        })
        .collect();
    let mut queue = BinaryHeap::new();
    for (at, device) in people.iter().enumerate() {
        queue.push(event(random.next_use(0.0, device.zone, habits), at, What::PickedUp));
    }
    let mut counted = Counted::default();
    while let Some(Reverse((millis, at, what))) = queue.pop() {
        let now = millis as f64 / 1e3;
        let Some(device) = people.get_mut(at).filter(|_| now < DAYS * DAY_SECONDS) else { continue };
        match what {
            What::PickedUp => {
                device.session_ends = now + random.exponential(habits.session);
                let anew = habits.sign_ins_a_year / 365.0 / habits.sessions_a_day;
                if random.chance(anew) {
                    counted.codes.add(now);
                    device.token_ends = now + habits.access_token;
                    if random.chance(habits.with_password) {
                        counted.sign_ins.add(now);
                    }
                }
                queue.push(event(now, at, What::Call));
            }
            What::Call => {
                if now >= device.token_ends {
                    counted.refreshes.add(now);
                    device.token_ends = now + habits.access_token;
                }
                if random.chance(habits.introspected) && now >= device.remembered_until {
                    counted.introspections.add(now);
                    device.remembered_until = now + habits.remembered;
                }
                let next = now + random.exponential(habits.between_calls);
                if next < device.session_ends {
                    queue.push(event(next, at, What::Call));
                } else {
                    let next = random.next_use(device.session_ends, device.zone, habits);
                    queue.push(event(next, at, What::PickedUp));
                }
            }
        }
    }
    counted.demand(f64::from(devices))
}

fn event(at: f64, device: usize, what: What) -> Event {
    let millis = u64::try_from(std::time::Duration::from_secs_f64(at.max(0.0)).as_millis()).unwrap_or(u64::MAX);
    Reverse((millis, device, what))
}

#[derive(Default)]
struct Counted {
    refreshes: Day,
    codes: Day,
    sign_ins: Day,
    introspections: Day,
}

/// The second day, by five minutes.
struct Day([u64; BUCKETS]);

impl Default for Day {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Day {
    fn add(&mut self, now: f64) {
        let into = (now - DAY_SECONDS) / BUCKET;
        if into >= 0.0 {
            let at = usize::try_from(std::time::Duration::from_secs_f64(into).as_secs()).unwrap_or(BUCKETS);
            if let Some(bucket) = self.0.get_mut(at) {
                *bucket += 1;
            }
        }
    }

    /// The busiest hour, so that few events make no peak.
    fn rate(&self, devices: f64) -> Rate {
        let all: u64 = self.0.iter().sum();
        let hours = self.0.windows(12).map(|hour| hour.iter().sum::<u64>());
        let busiest = hours.max().unwrap_or_default();
        Rate { mean: all as f64 / DAY_SECONDS / devices, peak: busiest as f64 / 3_600.0 / devices }
    }
}

impl Counted {
    fn demand(&self, devices: f64) -> Demand {
        Demand {
            refreshes: self.refreshes.rate(devices),
            codes: self.codes.rate(devices),
            sign_ins: self.sign_ins.rate(devices),
            introspections: self.introspections.rate(devices),
        }
    }
}

/// SplitMix64: the same people in every run.
struct Random(u64);

impl Random {
    /// From 0 up to 1.
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 12) as f64 / (1_u64 << 52) as f64
    }

    fn chance(&mut self, of: f64) -> bool {
        self.part() < of
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.part()).ln()
    }

    fn zone(&mut self) -> f64 {
        let mut left = self.part() * f64::from(PEOPLE.iter().sum::<u32>());
        let mut zone = -12.0;
        for people in PEOPLE {
            left -= f64::from(people);
            if left < 0.0 {
                break;
            }
            zone += 1.0;
        }
        zone
    }

    /// When a device is picked up next: a Poisson process whose rate follows the local hour, by thinning.
    fn next_use(&mut self, from: f64, zone: f64, habits: &Habits) -> f64 {
        let mean = DAY.iter().sum::<f64>() / 24.0;
        let most = habits.sessions_a_day / DAY_SECONDS / mean;
        let mut at = from;
        loop {
            at += self.exponential(1.0 / most);
            let hour = (at / 3_600.0 + zone).rem_euclid(24.0);
            let hour = usize::try_from(std::time::Duration::from_secs_f64(hour).as_secs()).unwrap_or_default();
            let busy = DAY.get(hour).copied().unwrap_or(mean);
            if self.chance(busy) || at > DAYS * DAY_SECONDS {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_do_about_what_is_assumed_of_them() {
        let habits = Habits::default();
        let one = simulate(&habits, Zones::One, 3_000);
        // Each use refreshes at least once, unless the token of the last one is still good.
        let refreshes = one.refreshes.mean * DAY_SECONDS;
        assert!((5.0..12.0).contains(&refreshes), "{refreshes}");
        let codes = one.codes.mean * DAY_SECONDS * 365.0;
        assert!((16.0..32.0).contains(&codes), "{codes}");
        assert!(one.refreshes.peak > 1.3 * one.refreshes.mean);
    }

    #[test]
    fn the_planet_is_never_asleep() {
        let habits = Habits::default();
        let (one, all) = (simulate(&habits, Zones::One, 3_000), simulate(&habits, Zones::All, 3_000));
        assert!(all.refreshes.peak < one.refreshes.peak);
        assert!((all.refreshes.mean / one.refreshes.mean - 1.0).abs() < 0.05);
    }
}
