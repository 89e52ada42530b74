//! One connection of the load.

use crate::failure::{Result, broken};
use crate::http::{Frame, frame};
use mio::{Interest, Registry, Token, net::TcpStream};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

pub(super) struct Connection {
    stream: TcpStream,
    /// What is sent, and how much of it is.
    pub(super) request: Vec<u8>,
    written: usize,
    read: Vec<u8>,
    frame: Option<Frame>,
    busy: bool,
    /// When the request came, and when it was sent.
    pub(super) arrived: Instant,
    pub(super) sent: Instant,
}

pub(super) enum Progress {
    Waiting,
    Answered(Frame),
    Closed,
}

impl Connection {
    pub(super) fn open(address: SocketAddr, registry: &Registry, token: Token) -> Result<Self> {
        // Connecting is not what is measured: it is waited for.
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let now = Instant::now();
        Ok(Self {
            stream,
            request: Vec::new(),
            written: 0,
            read: Vec::with_capacity(16 * 1024),
            frame: None,
            busy: false,
            arrived: now,
            sent: now,
        })
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    pub(super) fn send(&mut self, arrived: Instant) -> Result<()> {
        self.busy = true;
        self.written = 0;
        self.arrived = arrived;
        self.sent = Instant::now();
        self.write()
    }

    /// Writes what is left to write and reads what there is to read.
    pub(super) fn advance(&mut self) -> Result<Progress> {
        self.write()?;
        loop {
            if let Some(answered) = self.answered()? {
                return Ok(Progress::Answered(answered));
            }
            let length = self.read.len();
            self.read.resize(length + 8 * 1024, 0);
            let read = self.stream.read(self.read.get_mut(length..).unwrap_or_default());
            self.read.truncate(length + read.as_ref().copied().unwrap_or_default());
            match read {
                Ok(0) => return Ok(Progress::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Progress::Waiting),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn answer(&self, frame: Frame) -> (&[u8], &[u8]) {
        let (head, rest) = self.read.split_at(frame.head.min(self.read.len()));
        (head, rest.get(..frame.body).unwrap_or_default())
    }

    pub(super) fn done(&mut self, frame: Frame) {
        self.read.drain(..(frame.head + frame.body).min(self.read.len()));
        self.frame = None;
        self.busy = false;
    }

    fn answered(&mut self) -> Result<Option<Frame>> {
        if self.read.is_empty() {
            return Ok(None);
        }
        if self.frame.is_none() {
            self.frame = frame(&self.read)?;
        }
        let whole = self.frame.filter(|frame| self.read.len() >= frame.head + frame.body);
        if whole.is_some() && !self.busy {
            return broken("an answer came that nobody asked for");
        }
        Ok(whole)
    }

    fn write(&mut self) -> Result<()> {
        while let Some(rest) = self.request.get(self.written..).filter(|rest| self.busy && !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
