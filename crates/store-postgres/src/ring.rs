//! What is many and short-lived lies in a ring of tables, one for each day on which it expires modulo four: a day that is
//! over is dropped whole. Beside them stands a table without a number, for what expires later than the ring reaches.

use grantor_protocol::value::{Seconds, UnixTime};

/// How many tables the ring has.
pub(crate) const DAYS: i64 = 4;
/// One of its tables holds what expires within so long.
pub(crate) const DAY: Seconds = Seconds::new(86_400);
/// What expires later than this lies beside the ring. Today, tomorrow and the day after have a table each, and half a day
/// is left over for clocks that differ: so the fourth, yesterday's, is nobody's.
const REACH: Seconds = Seconds::new(129_600);

/// Where a row lies: the number of its table, or [`DAYS`] for the one beside the ring.
pub(crate) fn place(expires: UnixTime, now: UnixTime) -> i64 {
    if expires > now.plus(REACH) { DAYS } else { expires.get().div_euclid(i64::from(DAY.get())).rem_euclid(DAYS) }
}

/// Picks the statement for a [`place`].
pub(crate) fn pick(statements: &[&'static str; 5], place: i64) -> &'static str {
    let [.., beside] = *statements;
    usize::try_from(place).ok().and_then(|place| statements.get(place)).copied().unwrap_or(beside)
}

#[cfg(test)]
mod tests {
    use super::{DAY, DAYS, REACH, place};
    use grantor_protocol::value::{Seconds, UnixTime};

    #[test]
    fn yesterdays_table_is_nobodys_although_clocks_differ_by_an_hour() {
        let hour = 3_600;
        for day in 0..9_i64 {
            // From an hour after midnight on, yesterday's table may be dropped.
            for moment in [hour + 1, 12 * hour, 24 * hour - 1] {
                let now = day * i64::from(DAY.get()) + moment;
                let yesterday = (day - 1).rem_euclid(DAYS);
                for clock in [now - hour, now, now + hour] {
                    let clock = UnixTime::new(clock);
                    for ahead in 0..=REACH.get() / 900 {
                        let expires = clock.plus(Seconds::new(ahead * 900));
                        assert_ne!(place(expires, clock), yesterday, "{expires} as seen at {clock}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_expires_late_lies_beside_the_ring() {
        let now = UnixTime::new(1_700_000_000);
        assert_eq!(place(now.plus(REACH).plus(Seconds::new(1)), now), DAYS);
        assert!(place(now.plus(REACH), now) < DAYS);
        assert_eq!(place(UnixTime::FOREVER, now), DAYS);
    }
}
