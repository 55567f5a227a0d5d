//! What happened, in numbers: a simulation in which nothing happens proves nothing.

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub refreshes: u64,
    pub kills: u64,
    pub lost_requests: u64,
    pub lost_replies: u64,
    pub slow_requests: u64,
    pub slow_replies: u64,
    pub told_to_wait: u64,
    pub replays: u64,
    /// Refreshes that brought the access token that there was.
    pub repeated: u64,
    pub store_faults: u64,
    pub outages: u64,
    pub losses: u64,
    /// Those in the middle of a transaction, whose lease and intent went with the record.
    pub losses_in_flight: u64,
    /// Records that were damaged where they were stored.
    pub damages: u64,
    pub freezes: u64,
    /// Refreshes that did not leave, because their lease was over when there was a connection.
    pub too_late: u64,
    /// Leases that were renewed.
    pub renewals: u64,
    /// Refreshes whose lease and intent were one step of the store.
    pub begun_at_once: u64,
    /// Times that several processes at once were to renew a grant that nobody used.
    pub kept_alive: u64,
    pub suspends: u64,
    pub jumps: u64,
    pub logins: u64,
    pub revocations: u64,
    pub forgotten: u64,
    pub withdrawn: u64,
    /// Worlds whose consent was lost at the end.
    pub lost: u64,
    /// Worlds of client credentials.
    pub anew: u64,
    /// Worlds whose declared habits are not the server's.
    pub misdeclared: u64,
}

impl Counts {
    fn each(&mut self) -> [(&'static str, &mut u64); 28] {
        [
            ("refreshes", &mut self.refreshes),
            ("kills", &mut self.kills),
            ("lost requests", &mut self.lost_requests),
            ("lost replies", &mut self.lost_replies),
            ("slow requests", &mut self.slow_requests),
            ("slow replies", &mut self.slow_replies),
            ("told to wait", &mut self.told_to_wait),
            ("replays", &mut self.replays),
            ("access tokens given again", &mut self.repeated),
            ("store faults", &mut self.store_faults),
            ("outages", &mut self.outages),
            ("losses of the store", &mut self.losses),
            ("losses in flight", &mut self.losses_in_flight),
            ("damaged records", &mut self.damages),
            ("freezes", &mut self.freezes),
            ("too late", &mut self.too_late),
            ("renewals", &mut self.renewals),
            ("refreshes begun at once", &mut self.begun_at_once),
            ("kept alive", &mut self.kept_alive),
            ("suspends", &mut self.suspends),
            ("jumps", &mut self.jumps),
            ("logins", &mut self.logins),
            ("revocations", &mut self.revocations),
            ("forgotten", &mut self.forgotten),
            ("withdrawn", &mut self.withdrawn),
            ("lost consents", &mut self.lost),
            ("worlds of client credentials", &mut self.anew),
            ("worlds with other habits than declared", &mut self.misdeclared),
        ]
    }

    pub fn add(&mut self, mut other: Self) {
        for ((_, sum), (_, more)) in self.each().into_iter().zip(other.each()) {
            *sum += *more;
        }
    }

    /// What happened less often than so many times in a thousand seeds.
    pub fn short_of(mut self, mut floors: Self, seeds: u64) -> Vec<String> {
        let floors = floors.each();
        let short = self
            .each()
            .into_iter()
            .zip(floors)
            .filter_map(|((what, count), (_, floor))| {
                let floor = *floor * seeds / 1000;
                (*count < floor).then(|| format!("{what}: {count} of at least {floor}"))
            });
        short.collect()
    }
}
