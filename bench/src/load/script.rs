//! What is asked.

/// Gives each connection its next request, and sees the answers.
pub(crate) trait Script {
    /// Appends the next request of a connection to `out`. `false`: there is none left, and the load ends.
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool;

    /// Whether the server writes for each, which then can be asked only once.
    fn writes(&self) -> bool {
        false
    }

    /// An answer of a connection.
    fn answer(&mut self, _connection: usize, _status: u16, _head: &[u8], _body: &[u8]) {}
}

/// The same requests again and again, one after another.
pub(crate) struct Cycle {
    requests: Vec<Vec<u8>>,
    at: usize,
}

impl Cycle {
    pub(crate) fn new(requests: Vec<Vec<u8>>) -> Self {
        Self { requests, at: 0 }
    }
}

impl Script for Cycle {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let Some(request) = self.requests.get(self.at) else { return false };
        out.extend_from_slice(request);
        self.at = (self.at + 1) % self.requests.len();
        true
    }
}

/// Each request once.
pub(crate) struct Once(pub(crate) std::vec::IntoIter<Vec<u8>>);

impl Script for Once {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        self.0.next().map(|request| out.extend_from_slice(&request)).is_some()
    }

    fn writes(&self) -> bool {
        true
    }
}
