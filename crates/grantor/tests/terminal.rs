//! What a person at a terminal is shown while he signs in with another device: a real pseudo-terminal, and a scanner.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::Folder;
use common::browser::{Browser, PUBLIC, demo, text};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::Child;

/// The command, the terminal that it is on, and what stands there.
struct Terminal {
    child: Child,
    screen: File,
    shown: Vec<u8>,
}

const WAITING: &str = "Waiting for the other device ...";

/// So many bytes are a minute of waiting.
const ENOUGH: usize = 64 * 1024;

impl Terminal {
    /// `grantor login --device` on a terminal of so many columns and rows.
    fn login(folder: &Folder, issuer: &str, (columns, rows): (u16, u16), environment: &[(&str, &str)]) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        tcsetwinsize(&screen, Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let other_end = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let end = || OpenOptions::new().read(true).write(true).open(&other_end).unwrap();
        let arguments = ["login", "--device", "--issuer", issuer, "--token-store", "file"];
        let mut command = folder.command(&[&arguments[..], &PUBLIC[..]].concat());
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR").envs(environment.iter().copied());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self { child, screen: File::from(screen), shown: Vec::new() }
    }

    /// Everything that is shown by the time that this is.
    fn until(&mut self, text: &str) -> String {
        loop {
            let shown = String::from_utf8_lossy(&self.shown).into_owned();
            if shown.contains(text) {
                return shown;
            }
            let mut bytes = [0; 16 * 1024];
            let read = self.screen.read(&mut bytes).unwrap_or(0);
            // What moves goes on for as long as the code lives.
            assert!(read > 0 && shown.len() < ENOUGH, "it is not shown: {text:?}: {shown}");
            self.shown.extend_from_slice(&bytes[..read]);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The code that is to be typed.
fn user_code(shown: &str) -> &str {
    let is_code = |line: &&str| line.len() == 9 && line.as_bytes()[4] == b'-';
    shown.lines().map(str::trim).find(is_code).unwrap()
}

/// The lines of the picture: the last row of its points may have a line of which the lower half is empty.
fn picture(shown: &str) -> Vec<&str> {
    shown.lines().map(|line| line.trim_end_matches('\r')).filter(|line| line.contains(['▀', '▄', '█'])).collect()
}

/// The colours of a cell's character and of what is behind it, as the 256 colours number them: black and white.
const COLORS: &str = "\x1b[38;5;16;48;5;231m";

/// What a telephone reads from the screen. Without colours of its own the picture is taken for one on a dark terminal.
fn scan(picture: &[&str]) -> String {
    let colored = picture[0].starts_with(COLORS);
    let cells = |line: &&str| line.trim_start_matches(COLORS).trim_end_matches("\x1b[0m").chars().collect();
    let cells: Vec<Vec<char>> = picture.iter().map(cells).collect();
    let light = |x: usize, y: usize| {
        let (upper, cell) = (y.is_multiple_of(2), cells[y / 2].get(x).copied().unwrap_or(' '));
        (cell == '█' || (cell == '▀' && upper) || (cell == '▄' && !upper)) != colored
    };
    // The picture, with more of its quiet zone around it, and several points for each of its own.
    let (width, height) = (cells[0].len(), cells.len() * 2);
    let point = |x: usize, y: usize| {
        let inside = (4..width + 4).contains(&(x / 4)) && (4..height + 4).contains(&(y / 4));
        if !inside || light(x / 4 - 4, y / 4 - 4) { 255 } else { 0 }
    };
    let mut photograph = rqrr::PreparedImage::prepare_from_greyscale((width + 8) * 4, (height + 8) * 4, point);
    let found = photograph.detect_grids();
    assert_eq!(found.len(), 1, "{}", picture.join("\n"));
    found[0].decode().unwrap().1
}

#[test]
fn rfc8628_3_3_1_who_scans_the_picture_on_a_terminal_comes_to_the_code() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let mut terminal = Terminal::login(&folder, &issuer, (80, 40), &[]);
    let shown = terminal.until(WAITING);
    let code = user_code(&shown).to_owned();
    let picture = picture(&shown);
    assert!(picture.iter().all(|line| line.starts_with(COLORS) && line.ends_with("\x1b[0m")), "{shown}");
    let scanned = scan(&picture);
    assert_eq!(scanned, format!("{issuer}/device?user_code={code}"));
    // The code is there to be compared with what the other device shows (RFC 8628 5.4).
    assert!(shown.contains("compare the code"), "{shown}");
    let page = Browser::default().allow(&issuer, &scanned);
    assert!(page.contains("Your device is connected"), "{page}");
    let all = terminal.until("Signed in at ");
    // The line that moved is gone before anything else is said.
    let after = all.rsplit_once(WAITING).unwrap().1;
    assert!(after.contains("\x1b[2K"), "{after:?}");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0));
}

#[test]
fn without_colours_the_picture_is_for_a_dark_terminal() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let mut terminal = Terminal::login(&folder, &issuer, (80, 40), &[("NO_COLOR", "1")]);
    let shown = terminal.until(WAITING);
    assert!(!shown.contains("\x1b[38") && !shown.contains("\x1b[48"), "{shown:?}");
    assert_eq!(scan(&picture(&shown)), format!("{issuer}/device?user_code={}", user_code(&shown)));
}

#[test]
fn where_the_picture_does_not_fit_the_words_are_enough() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    for size in [(32, 40), (80, 12)] {
        let mut terminal = Terminal::login(&folder, &issuer, size, &[]);
        let shown = terminal.until("Waiting for the other");
        // What moves is cleared to be drawn again, and the cursor need not go up for it: it is one line.
        assert!(!terminal.until("\x1b[2K").contains("\x1b[1A"), "{shown}");
        assert!(picture(&shown).is_empty() && !shown.contains("scan this"), "{shown}");
        assert!(shown.contains(&format!("{issuer}/device")) && !user_code(&shown).is_empty(), "{shown}");
    }
}

#[test]
fn a_terminal_that_can_only_write_lines_gets_lines() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let mut terminal = Terminal::login(&folder, &issuer, (80, 40), &[("TERM", "dumb")]);
    let shown = terminal.until(&format!("{WAITING}\r\n"));
    assert!(!shown.contains('\x1b') && picture(&shown).is_empty(), "{shown:?}");
}
